import { spawn } from 'node:child_process';
import type { Clipboard, Env } from '../core/context.ts';
import { programInPath, withoutSecrets } from './programs.ts';

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  /** where an empty input does not clear the clipboard */
  readonly clear?: readonly string[];
}

const wayland: Program = { name: 'wl-copy', args: [], clear: ['--clear'] };
const x11: readonly Program[] = [
  { name: 'xclip', args: ['-selection', 'clipboard'] },
  { name: 'xsel', args: ['--clipboard', '--input'], clear: ['--clipboard', '--clear'] },
];
/** The program of Windows, which WSL starts too. */
const windows: Program = { name: 'clip.exe', args: [] };

/** The clipboard through a program of the system. The text goes to its standard input: everybody on this computer can read the arguments. */
export function createClipboard({ env, platform }: { readonly env: Env; readonly platform: NodeJS.Platform }): Clipboard {
  const found = () => candidates(env, platform).find(({ name }) => programInPath(name, env) !== undefined);
  return {
    get usable() {
      return found() !== undefined;
    },
    async copy(text) {
      const program = found();
      if (program === undefined) return false;
      const isClearing = text === '' && program.clear !== undefined;
      return fill(program.name, isClearing ? program.clear : program.args, text, env);
    },
  };
}

function candidates(env: Env, platform: NodeJS.Platform): readonly Program[] {
  if (platform === 'darwin') return [{ name: 'pbcopy', args: [] }];
  if (platform === 'win32') return [windows];
  return [...(env.WAYLAND_DISPLAY ? [wayland] : []), ...(env.DISPLAY ? x11 : []), ...(env.WSL_DISTRO_NAME ? [windows] : [])];
}

/** xclip and wl-copy leave a process behind that owns the clipboard: it must hold none of our streams and learn none of our secrets. */
async function fill(program: string, args: readonly string[], text: string, env: Env): Promise<boolean> {
  const filled = new Promise<boolean>((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], env: withoutSecrets(env), windowsHide: true });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
    // A program that ends without reading breaks the pipe; its exit code tells how it went.
    child.stdin.on('error', () => undefined);
    child.stdin.end(text);
  });
  // Some failures of a start are thrown at once.
  return filled.catch(() => false);
}
