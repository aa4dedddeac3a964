import { type Shell, shells } from './quoting.ts';

interface Around {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** the name of the shell that mailauth was started from, where the system tells it */
  readonly ancestor?: string | undefined;
}

/** Names that people have for the shells. */
const named: ReadonlyMap<string, Shell> = new Map([
  ...shells.map((shell) => [shell, shell] as const),
  ...['sh', 'bash', 'zsh', 'fish', 'ksh', 'dash'].map((name) => [name, 'posix'] as const),
  ['pwsh', 'powershell'],
]);

/** What MAILAUTH_SHELL or the name of a program means: `pwsh.exe`, `/usr/bin/fish`, `cmd`. Undefined: no shell that mailauth knows. */
export const shellNamed = (name: string): Shell | undefined =>
  named.get(
    name
      .trim()
      .toLowerCase()
      .replace(/^.*[\\/]/, '')
      .replace(/\.exe$/, ''),
  );

/**
 * The shell in use, for the lines that are printed to be copied. MAILAUTH_SHELL decides where it is set. On Windows:
 *
 * - `MSYSTEM` is set by the POSIX shell of Git for Windows (MSYS2, "Environments").
 * - PowerShell puts the user's own folder of modules into `PSModulePath` when it starts; the machine's value, which cmd shows, has none
 *   (about_PSModulePath). A cmd below a PowerShell inherits it, and so does the cmd that runs npm's `mailauth.cmd` for a PowerShell. The
 *   parent is a cmd in both cases, so it says nothing; the second case is the usual one.
 * - cmd sets `PROMPT`. Without it nobody knows, and PowerShell is what Windows opens.
 *
 * Elsewhere `PSModulePath` is set by PowerShell alone, and the nearest shell above mailauth says whether that is the one in use.
 */
export function shellOf({ platform, env, ancestor }: Around): Shell {
  const told = shellNamed(env.MAILAUTH_SHELL ?? '');
  if (told !== undefined) return told;
  if (platform !== 'win32') return env.PSModulePath !== undefined && shellNamed(ancestor ?? '') === 'powershell' ? 'powershell' : 'posix';
  if (env.MSYSTEM) return 'posix';
  return env.PROMPT && !hasUsersModules(env.PSModulePath ?? '') ? 'cmd' : 'powershell';
}

/** `C:\Users\ada\Documents\PowerShell\Modules` or its like, wherever the folder of documents is. */
const hasUsersModules = (path: string): boolean =>
  path
    .split(';')
    .some(
      (folder) =>
        /[\\/](?:Windows)?PowerShell[\\/]Modules[\\/]?$/i.test(folder) &&
        !/[\\/]Program Files[^\\/]*[\\/][^\\/]+[\\/]Modules/i.test(folder),
    );
