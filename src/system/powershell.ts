import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Env, LineTalk, PowerShell } from '../core/context.ts';
import { programInPath, withoutSecrets } from './programs.ts';

const patienceMs = 5_000;
const complaintLimit = 4_000;

/** PowerShell 7 (`pwsh`), where it is in the PATH. */
export function createPowerShell({ env, platform, signal }: { env: Env; platform: NodeJS.Platform; signal: AbortSignal }): PowerShell {
  const name = platform === 'win32' ? 'pwsh.exe' : 'pwsh';
  return {
    get program() {
      return programInPath(name, env);
    },
    start(script) {
      // The script needs no file, and no shell reads it. UTF-16 and Base64 are what -EncodedCommand takes (about_Pwsh).
      const words = ['-NoLogo', '-NoProfile', '-NonInteractive', '-EncodedCommand', Buffer.from(script, 'utf16le').toString('base64')];
      const child = spawn(this.program ?? name, words, {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...withoutSecrets(env), POWERSHELL_TELEMETRY_OPTOUT: '1', POWERSHELL_UPDATECHECK: 'Off', NO_COLOR: '1' },
        windowsHide: true,
      });
      const stop = (): void => void child.kill();
      signal.addEventListener('abort', stop, { once: true });
      child.once('exit', () => signal.removeEventListener('abort', stop));
      return talkTo(child);
    },
  };
}

function talkTo(child: ChildProcess): LineTalk {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('the streams of the child are pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  let complaint = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-complaintLimit);
  });
  // A program that has ended breaks the pipe; that it ended is told by `read`.
  stdin.on('error', () => undefined);
  return {
    async read() {
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
    write: (line) => void stdin.write(`${line}\n`),
    async end() {
      stdin.end();
      const late = setTimeout(() => child.kill(), patienceMs).unref();
      await ended;
      clearTimeout(late);
    },
    get complaint() {
      return complaint;
    },
  };
}
