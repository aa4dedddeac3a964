import { type InHome, type Line, line } from './next.ts';
import { quotedWord, type Shell, shellWord } from './shell/quoting.ts';

/** The same deed in the words of each shell. */
export const byShell = ({ posix, powershell, cmd }: Readonly<Record<Shell, Line>>): Line => ({ ...posix, otherwise: { powershell, cmd } });

/** A program of Unix, and one of Windows that takes its place there in PowerShell and in cmd. */
export const byPlatform = (unix: Line, windows: Line): Line => ({ ...unix, otherwise: { windows } });

/** The words of a line for one shell, on Windows or not. Git's own shell has the programs of Unix on Windows, too. */
export function lineFor({ otherwise = {}, ...said }: Line, shell: Shell, onWindows: boolean): Line {
  if (shell === 'posix') return said;
  const other = (onWindows || shell === 'cmd' ? otherwise.windows : undefined) ?? otherwise[shell];
  // What PowerShell says may differ again between Windows and Linux.
  return other === undefined ? said : lineFor(other, shell, onWindows);
}

/** One after the other, on one line that is pasted at once. */
export function inTurn(...lines: readonly Line[]): Line {
  const joined = (shell: Shell, onWindows: boolean): Line =>
    lines.map((one) => lineFor(one, shell, onWindows)).reduce((before, after) => joinedBy(before, after, shell === 'cmd' ? ' & ' : '; '));
  return {
    ...joined('posix', false),
    otherwise: { powershell: byPlatform(joined('powershell', false), joined('powershell', true)), cmd: joined('cmd', true) },
  };
}

const joinedBy = (before: Line, after: Line, between: string): Line => ({
  kind: 'line',
  texts: [...before.texts.slice(0, -1), `${before.texts.at(-1) ?? ''}${between}${after.texts[0] ?? ''}`, ...after.texts.slice(1)],
  values: [...before.values, ...after.values],
});

/** What `explain` does not know is no text, and no file of the user either. */
const isInHome = (value: string | InHome): value is InHome => typeof value === 'object' && 'inHome' in value;

/** A word of a line as the shell reads it. */
export function wordOf(value: string | InHome, shell: Shell): string {
  if (!isInHome(value)) return shellWord(String(value), shell);
  const { inHome } = value;
  return { posix: `~/${inHome}`, powershell: `"$HOME/${inHome}"`, cmd: `"%USERPROFILE%\\${inHome.replaceAll('/', '\\')}"` }[shell];
}

/** Sets a variable for the commands that follow in this window (about_Environment_Variables; `set /?`). */
export const setVariable = (name: string, value: string | InHome): Line =>
  byShell({
    posix: line([`export ${name}=`, ''], value),
    // Without quotes PowerShell would run the word.
    powershell: line([`$env:${name} = ${isInHome(value) ? wordOf(value, 'powershell') : quotedWord(String(value), 'powershell')}`]),
    cmd: line([isInHome(value) ? `set ${wordOf(value, 'cmd').replace('"', `"${name}=`)}` : cmdAssignment(name, String(value))]),
  });

/**
 * cmd takes what stands between `set "` and the last quote as it is, except two percent signs, which name a variable. A value with these or
 * with quotes of its own needs a caret before what acts, and parentheses around all of it, because it would end with the spaces before a remark.
 */
function cmdAssignment(name: string, value: string): string {
  const onOneLine = value.replace(/[\r\n]+/g, ' ');
  return /"|%.*%/.test(onOneLine) ? `(set ${name}=${onOneLine.replace(/[\^&|<>()"%!]/g, '^$&')})` : `set "${name}=${onOneLine}"`;
}

export const unsetVariable = (...names: readonly string[]): Line =>
  byShell({
    posix: line(['unset ', ...names.slice(1).map(() => ' '), ''], ...names),
    powershell: line([`Remove-Item ${names.map((name) => `Env:${name}`).join(', ')}`]),
    cmd: line([names.map((name) => `set "${name}="`).join(' & ')]),
  });

/** `-LiteralPath`, because brackets in a path would mean something to PowerShell. */
export const moveFile = (from: string, to: string): Line =>
  byShell({ posix: line`mv ${from} ${to}`, powershell: line`Move-Item -LiteralPath ${from} ${to}`, cmd: line`move ${from} ${to}` });

export const removeFile = (path: string): Line =>
  byShell({ posix: line`rm ${path}`, powershell: line`Remove-Item -LiteralPath ${path}`, cmd: line`del ${path}` });

/** Who owns a file or a folder, and who may do what with it. */
export const showAccess = (path: string): Line => byPlatform(line`ls -ld ${path}`, line`icacls ${path}`);

/** A key file in the user's own folder, for this window. */
export const keyFileForThisWindow: Line = inTurn(
  line`mailauth store keygen ${{ inHome: 'mailauth.key' }}`,
  setVariable('MAILAUTH_KEY_FILE', { inHome: 'mailauth.key' }),
);
