import { release, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Context, Machine } from '../core/context.ts';
import { isPlain } from '../core/plain-terminal.ts';
import { shellOf } from '../core/shell/shell-in-use.ts';
import type { Surroundings } from '../core/shown.ts';
import { rfc3339Exact } from '../core/time.ts';
import { resolveHome, userFolder } from '../store/home.ts';
import { shellAbove } from './ancestor.ts';
import { createBrowser } from './browser.ts';
import { createClipboard } from './clipboard.ts';
import { systemClock, systemRandom } from './clock-and-random.ts';
import { appendLine } from './disk/debug-log.ts';
import { systemFiles } from './disk/files.ts';
import { createKeychain } from './keychain/keychain.ts';
import { createNetwork } from './network/network.ts';
import { connectPostgres } from './postgres.ts';
import { createPowerShell } from './powershell.ts';
import { shellCommand } from './shell-command.ts';
import { userSystemctl, windowsProgram } from './system-programs.ts';
import { terminalKeys } from './terminal/keys.ts';
import { createPrompts } from './terminal/prompts.ts';
import { createLongInput, lineReader, outputOf, readAll } from './terminal/terminal.ts';

/** The real world behind the ports of `core/context.ts`. Nothing is opened, loaded or asked before it is used. */
export function createSystem(process: NodeJS.Process, noColor: boolean, signal: AbortSignal): Context {
  const { env, platform } = process;
  // Inquirer decides about colours by itself, from the environment only.
  if (noColor || env.NO_COLOR) {
    env.NO_COLOR = '1';
    delete env.FORCE_COLOR;
  }
  const browser = createBrowser({ env, platform, clock: systemClock, signal });
  const base = {
    env,
    platform,
    pid: process.pid,
    uid: process.geteuid?.(),
    surroundings: surroundingsOf(process),
    machine: machineOf(process),
    out: outputOf(process.stdout),
    err: outputOf(process.stderr),
    readStdin: () => readAll(process.stdin, signal),
    longInput: createLongInput(process.stdin, signal),
    readLine: lineReader(process.stdin),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    clock: systemClock,
    random: systemRandom,
    files: systemFiles,
    prompts: createPrompts(process.stderr, process.stdin, signal, { plain: isPlain(env), clock: systemClock }),
    keys: terminalKeys(process),
    browser,
    openFile: browser.openFile,
    clipboard: createClipboard({ env, platform }),
    powershell: createPowerShell({ env, platform, signal }),
    shellCommand: shellCommand({ env, platform }),
    systemctl: userSystemctl(env),
    windowsProgram: windowsProgram(env),
    keychain: createKeychain({ platform, env, clock: systemClock }),
    connectDatabase: connectPostgres(env),
    signal,
  };
  const log = debugLog(base);
  return { ...base, network: createNetwork({ env, log }), log };
}

function surroundingsOf(process: NodeJS.Process): Surroundings {
  const { env, platform } = process;
  // Only PowerShell sets it, and only there the list of processes says more.
  const ancestor = env.PSModulePath === undefined ? undefined : shellAbove(process);
  return {
    shell: shellOf({ platform, env, ancestor }),
    onWindows: platform === 'win32',
    withoutHome: !env.HOME || resolve(env.HOME) === '/',
  };
}

/** Release, user and home folder are looked up when they are read: only the doctor reads them. */
function machineOf({ version, arch, env, platform, execPath, argv }: NodeJS.Process): Machine {
  return {
    node: version.replace(/^v/, ''),
    arch,
    // The single-file program is one word: Node and the script in one.
    program: argv[1] === execPath ? [execPath] : [execPath, argv[1] ?? ''],
    get release() {
      return release();
    },
    get user() {
      try {
        return userInfo().username;
      } catch {
        // A container's user may have no name.
        return '';
      }
    },
    get homeFolder() {
      return userFolder({ env, platform }) ?? '';
    },
  };
}

/** `MAILAUTH_DEBUG=1`: lines in `debug.log` under MAILAUTH_HOME. A log that cannot be written never stops the work. */
function debugLog(ctx: Pick<Context, 'env' | 'platform' | 'clock' | 'pid'>): (line: string) => void {
  if (ctx.env.MAILAUTH_DEBUG !== '1') return () => undefined;
  return (line) => {
    try {
      appendLine(join(resolveHome(ctx), 'debug.log'), `${rfc3339Exact(ctx.clock.now())} [${ctx.pid}] ${line}\n`);
    } catch {
      // best effort
    }
  };
}
