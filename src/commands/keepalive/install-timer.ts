import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { Exit } from '../../core/errors.ts';
import { again, line, noted } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { carriedPaths, carriedProxies, carriedValues } from '../../session/carried.ts';
import type { Outcome } from '../../session/command.ts';
import { canAsk, mailboxesOf } from '../../session/mailbox-argument.ts';
import { noteCached } from '../../session/own-program.ts';
import type { Session } from '../../session/session.ts';
import { configFolder, guardWrites, resolveHome } from '../../store/home.ts';
import { crontabLine, launchAgent, type Timer, type TimerRun, timerName, type Unit, unitsOf } from './units.ts';
import { windowsTask, withoutOption } from './windows-task.ts';

type Change = 'install' | 'uninstall';

const schema = z.object({ install: z.optional(z.boolean()), uninstall: z.optional(z.boolean()) });

/** What the flags say about the timer; undefined: nothing. Throws `usage` (exit 2). */
export function timerChange(flags: unknown): Change | undefined {
  const { install, uninstall } = schema.parse(flags);
  if (install === true && uninstall === true)
    throw problem('usage', {
      message: '--install makes the timer that --uninstall removes: give one of them',
      help: again({ help: true }),
    });
  return install === true ? 'install' : uninstall === true ? 'uninstall' : undefined;
}

/**
 * `keepalive --install` and `--uninstall`: a timer of the user's own systemd, on Windows a task. Where there is neither, the lines are
 * printed that do the same by hand. Throws `needs-yes` (3) without a person, `timer-refused` (1).
 */
export async function changeTimer(session: Session, change: Change): Promise<Outcome> {
  const { ctx, globals, report } = session;
  const run = timerRun(session);
  if (ctx.platform !== 'linux' && ctx.platform !== 'win32') return elsewhere(session, run);
  const timer = ctx.platform === 'win32' ? await taskOf(session, run, change) : systemdTimer(ctx, run);
  const { units } = timer;
  if (globals.sandbox)
    return {
      data: dataOf(units, false),
      text: `${printed(units)}\nThe sandbox installs nothing: these are the files that --install writes.\n`,
    };
  if (!(await timer.isHere())) return withoutManager(units, run);
  const isThere = change === 'install' ? await isInstalled(ctx, timer) : await isAnyHere(ctx, timer);
  if (isThere === (change === 'install')) {
    const state = change === 'install' ? 'The timer is installed already' : 'No timer is installed';
    return { data: dataOf(units, false), text: `${state}: nothing was changed.\n` };
  }
  if (change === 'install') {
    noteCached(session);
    // A user has one timer, so the one for another folder would end without a word.
    if (await isAnyHere(ctx, timer))
      report.note(
        'A timer of mailauth is here already, for another folder, with other flags or switched off: the new one takes its place.',
      );
  }
  if (!(await isAgreed(session, change, units))) return { data: dataOf(units, false), text: 'Nothing was changed.\n', exit: Exit.failed };
  return change === 'install' ? install(session, timer) : uninstall(timer);
}

/** This very command on another day: with whole paths, and with what was in force when it was installed. */
function timerRun(session: Session): TimerRun {
  const { ctx, report } = session;
  const { flags = {} } = ctx.surroundings.running ?? {};
  const kept = Object.entries(flags).filter(([flag]) => !notKept.includes(flag));
  const words = kept.flatMap(([flag, value]) =>
    value === true ? [`--${flag}`] : [`--${flag}`, pathFlags.includes(flag) ? resolve(value) : value],
  );
  for (const name of ['MAILAUTH_PASSPHRASE', 'MAILAUTH_DATABASE_URL'])
    if (ctx.env[name]) report.note(`${name} is a secret and is not written into a file: name a file with ${name}_FILE instead.`);
  return {
    program: ctx.machine.program.map((path) => resolve(path)),
    words: ['keepalive', '--no-input', ...words],
    variables: [
      ['MAILAUTH_HOME', resolveHome(ctx)],
      ...carriedPaths(ctx, fileVariables),
      ...carriedValues(ctx, ['MAILAUTH_STORE', 'MAILAUTH_CLOUD', 'NODE_USE_SYSTEM_CA']),
      ...carriedProxies({ ctx, report }),
    ],
  };
}

/** Their values are paths; a timer starts in another folder. */
const pathFlags = ['cloud-file', 'notify-secret-file'];
const fileVariables = [
  'MAILAUTH_KEY_FILE',
  'MAILAUTH_PASSPHRASE_FILE',
  'MAILAUTH_DATABASE_URL_FILE',
  'MAILAUTH_CLOUD_FILE',
  'NODE_EXTRA_CA_CERTS',
];
const notKept = ['install', 'uninstall', 'yes', 'no-input', 'json', 'quiet', 'verbose', 'no-color', 'home', 'key-file'];

const dataOf = (units: readonly Unit[], changed: boolean) => ({ timer: { changed, files: units.map(({ path }) => path) } });

const printed = (units: readonly Unit[]): string =>
  units.map(({ path, text }) => `${plain(path)}\n\n${text.replace(/^(?=.)/gm, '    ')}`).join('\n');

const filesOf = ({ units }: Timer, { files }: Context) => Promise.all(units.map(({ path }) => files.read(path)));

async function isInstalled(ctx: Context, timer: Timer): Promise<boolean> {
  const present = await filesOf(timer, ctx);
  return timer.units.every(({ text }, i) => present[i] === text) && timer.isOn();
}

/** A timer of mailauth, whatever it runs. The folder of mailauth may be gone, and the task of Windows that runs it every day may not. */
async function isAnyHere(ctx: Context, timer: Timer): Promise<boolean> {
  const present = await filesOf(timer, ctx);
  return present.some((text) => text !== undefined) || timer.isOn();
}

async function isAgreed(session: Session, change: Change, units: readonly Unit[]): Promise<boolean> {
  const { ctx, globals, report } = session;
  if (change === 'install') report.show(`\n${printed(units)}\n`);
  if (globals.yes) return true;
  const what = change === 'install' ? 'Installing the timer' : 'Removing the timer';
  if (!canAsk(session)) throw problem('needs-yes', { what, command: again({ yes: true }) });
  const message = change === 'install' ? 'Write these files and start the timer?' : 'Stop the timer and remove its files?';
  return ctx.prompts.confirm({ message, default: true });
}

async function install({ ctx }: Session, timer: Timer): Promise<Outcome> {
  await timer.start();
  const steps = allShown(timer.next, ctx.surroundings);
  return {
    data: dataOf(timer.units, true),
    text: (theme) =>
      [
        `${theme.green(theme.signs.ok)} The timer is on: once a day mailauth renews the sign-ins that need it.`,
        ...steps.map((step) => {
          const [command = '', ...remark] = step.split(/(?= {3}(?:#|& rem) )/);
          return `  next: ${theme.cyan(command)}${remark.join('')}`;
        }),
        '',
      ].join('\n'),
  };
}

async function uninstall(timer: Timer): Promise<Outcome> {
  await timer.stop();
  return {
    data: dataOf(timer.units, true),
    text: (theme) => `${theme.green(theme.signs.ok)} The timer is off, and its files are removed.\n`,
  };
}

function systemdTimer(ctx: Context, run: TimerRun): Timer {
  const units = unitsOf(run, configFolder(ctx));
  const { user } = ctx.machine;
  const systemctl = async (args: readonly string[]) => {
    const code = await ctx.systemctl(args);
    if (code !== 0) throw problem('timer-refused', { what: `systemctl --user ${args.join(' ')}`, exit: code ?? 127 });
  };
  const isSo = async (question: string) => (await ctx.systemctl([question, '--quiet', timerName])) === 0;
  return {
    units,
    isHere: async () => (await ctx.systemctl(['show', '--property=Version'])) === 0,
    isOn: async () => (await isSo('is-enabled')) && (await isSo('is-active')),
    async start() {
      await guardWrites(configFolder(ctx), async () => {
        for (const { path, text } of units) await ctx.files.writeAtomic(path, text);
      });
      await systemctl(['daemon-reload']);
      await systemctl(['enable', '--now', timerName]);
    },
    async stop() {
      // Where it is off already, that is no reason to leave its files.
      await ctx.systemctl(['disable', '--now', timerName]);
      await guardWrites(configFolder(ctx), async () => {
        for (const { path } of units) await ctx.files.remove(path);
      });
      await systemctl(['daemon-reload']);
    },
    next: [
      line`systemctl --user list-timers ${timerName}`,
      ...(user === '' ? [] : [noted(line`loginctl enable-linger ${user}`, 'so that it also runs while you are logged out')]),
    ],
  };
}

async function taskOf(session: Session, run: TimerRun, change: Change): Promise<Timer> {
  const { ctx, home, report } = session;
  for (const name of change === 'install' ? withoutOption(run) : [])
    report.note(`${name} cannot be part of a task: it works there if it is set for your user (setx ${name} …).`);
  const { records } = await mailboxesOf(session).listMailboxes();
  return windowsTask(run, home, ctx, !records.some(({ store }) => store === 'keychain'));
}

function withoutManager(units: readonly Unit[], run: TimerRun): Outcome {
  return {
    data: dataOf(units, false),
    text: `${printed(units)}\nThe same for cron (crontab -e):\n\n    ${crontabLine(run)}\n`,
    error: problem('timer-not-here', { why: 'the systemd of this user does not answer here' }),
  };
}

function elsewhere({ ctx }: Session, run: TimerRun): Outcome {
  const agent = launchAgent(run, ctx.machine.homeFolder);
  return {
    data: dataOf([agent], false),
    text: `For launchd:\n\n${printed([agent])}\n    launchctl bootstrap gui/$(id -u) ${agent.path}\n`,
    error: problem('timer-not-here', { why: 'mailauth makes timers of systemd and of Windows only' }),
  };
}
