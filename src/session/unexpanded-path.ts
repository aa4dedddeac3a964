import type { Context } from '../core/context.ts';
import { line, type NextStep } from '../core/next.ts';
import { byShell, setVariable } from '../core/shell-lines.ts';
import { problem } from '../errors/problem.ts';

const pathVariables = [
  'MAILAUTH_HOME',
  'MAILAUTH_KEY_FILE',
  'MAILAUTH_PASSPHRASE_FILE',
  'MAILAUTH_DATABASE_URL_FILE',
  'MAILAUTH_CLOUD_FILE',
] as const;

/** What a shell would have put something in place of: `~`, `%APPDATA%`, `$HOME`, `${HOME}`, `$env:APPDATA`. */
const unexpanded = /^(?:~|%(\w+)%|\$(?:env:|\{)?(\w+)\}?)(?=$|[\\/])/i;

/**
 * A folder of the name `~` or `%APPDATA%` in the current folder is what nobody wants: no shell has seen the value, because it stands in a
 * file of a service manager, in quotes, or in the words of another shell. Throws `value-invalid` (exit 2).
 */
export function refuseUnexpanded(given: Readonly<Record<string, string | undefined>>, env: Context['env']): void {
  const all = [...Object.entries(given), ...pathVariables.map((name) => [name, env[name]] as const)];
  for (const [name, value = ''] of all) {
    const found = unexpanded.exec(value);
    if (found === null) continue;
    const [begin, byPercent, byDollar] = found;
    throw problem('value-invalid', {
      what: `path in ${name}`,
      value,
      why: `Nothing was put in place of ${begin}, so this would be a folder of that name.`,
      next: instead(name, byPercent ?? byDollar, value.slice(begin.length)),
    });
  }
}

/** `variable` is undefined where the path begins in the home folder. */
function instead(name: string, variable: string | undefined, rest: string): NextStep {
  // With other characters it would have to be quoted, which would keep a shell from what it is printed for.
  if (!name.startsWith('MAILAUTH_') || !/^(?:[\\/][\w.-]+)*$/.test(rest)) return 'Give the whole path.';
  const path = rest.replaceAll('\\', '/').replace(/^\//, '');
  const isHome = variable === undefined || /^(?:home|userprofile)$/i.test(variable);
  if (isHome && path !== '') return setVariable(name, { inHome: path });
  const of = isHome ? { posix: 'HOME', windows: 'USERPROFILE' } : { posix: variable, windows: variable };
  const below = (separator: string) => (path === '' ? '' : separator + path.replaceAll('/', separator));
  return byShell({
    posix: line([`export ${name}="$${of.posix}${below('/')}"`]),
    powershell: line([`$env:${name} = "$${isHome ? 'HOME' : `env:${of.windows}`}${below('\\')}"`]),
    cmd: line([`set "${name}=%${of.windows}%${below('\\')}"`]),
  });
}
