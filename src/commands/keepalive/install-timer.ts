import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { Exit } from '../../core/errors.ts';
import { again, line, type NextStep } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { carriedPaths, carriedProxies, carriedValues } from '../../session/carried.ts';
import type { Outcome } from '../../session/command.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { configFolder, guardWrites, resolveHome } from '../../store/home.ts';
import { crontabLine, launchAgent, type TimerRun, taskLine, timerName, type Unit, unitsOf } from './units.ts';

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
 * `keepalive --install` and `--uninstall`: a timer of the user's own systemd. Where there is none, the lines are printed that do the same by
 * hand. Throws `needs-yes` (3) without a person, `timer-refused` (1).
 */
export async function changeTimer(session: Session, change: Change): Promise<Outcome> {
  const { ctx, globals } = session;
  const run = timerRun(session);
  if (ctx.platform !== 'linux') return elsewhere(session, run);
  const units = unitsOf(run, configFolder(ctx));
  if (globals.sandbox)
    return {
      data: dataOf(units, false),
      text: `${printed(units)}\nThe sandbox installs nothing: these are the files that --install writes.\n`,
    };
  if ((await ctx.systemctl(['show', '--property=Version'])) !== 0) return withoutManager(units, run);
  const isThere = await isInstalled(ctx, units, change);
  if (isThere === (change === 'install')) {
    const state = change === 'install' ? 'The timer is installed already' : 'No timer is installed';
    return { data: dataOf(units, false), text: `${state}: nothing was changed.\n` };
  }
  if (!(await isAgreed(session, change, units))) return { data: dataOf(units, false), text: 'Nothing was changed.\n', exit: Exit.failed };
  return change === 'install' ? install(session, units) : uninstall(session, units);
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
      ...carriedValues(ctx, ['MAILAUTH_STORE', 'MAILAUTH_CLOUD']),
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

async function isInstalled(ctx: Context, units: readonly Unit[], change: Change): Promise<boolean> {
  const present = await Promise.all(units.map(({ path }) => ctx.files.read(path)));
  if (change === 'uninstall') return present.some((text) => text !== undefined);
  if (!units.every(({ text }, i) => present[i] === text)) return false;
  return (
    (await ctx.systemctl(['is-enabled', '--quiet', timerName])) === 0 && (await ctx.systemctl(['is-active', '--quiet', timerName])) === 0
  );
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

async function install(session: Session, units: readonly Unit[]): Promise<Outcome> {
  const { ctx } = session;
  await guardWrites(configFolder(ctx), async () => {
    for (const { path, text } of units) await ctx.files.writeAtomic(path, text);
  });
  await systemctl(ctx, ['daemon-reload']);
  await systemctl(ctx, ['enable', '--now', timerName]);
  const user = ctx.machine.user;
  const steps: readonly NextStep[] = [
    line`systemctl --user list-timers ${timerName}`,
    ...(user === '' ? [] : [line`loginctl enable-linger ${user}`]),
  ];
  const [look = '', linger] = allShown(steps, ctx.surroundings);
  return {
    data: dataOf(units, true),
    text: (theme) =>
      [
        `${theme.green(theme.signs.ok)} The timer is on: once a day mailauth renews the sign-ins that need it.`,
        `  next: ${theme.cyan(look)}`,
        ...(linger === undefined ? [] : [`  next: ${theme.cyan(linger)}   # so that it also runs while you are logged out`]),
        '',
      ].join('\n'),
  };
}

async function uninstall({ ctx }: Session, units: readonly Unit[]): Promise<Outcome> {
  // Where it is off already, that is no reason to leave its files.
  await ctx.systemctl(['disable', '--now', timerName]);
  await guardWrites(configFolder(ctx), async () => {
    for (const { path } of units) await ctx.files.remove(path);
  });
  await systemctl(ctx, ['daemon-reload']);
  return { data: dataOf(units, true), text: (theme) => `${theme.green(theme.signs.ok)} The timer is off, and its files are removed.\n` };
}

async function systemctl(ctx: Context, args: readonly string[]): Promise<void> {
  const code = await ctx.systemctl(args);
  if (code !== 0) throw problem('timer-refused', { what: args.join(' '), exit: code ?? 127 });
}

function withoutManager(units: readonly Unit[], run: TimerRun): Outcome {
  return {
    data: dataOf(units, false),
    text: `${printed(units)}\nThe same for cron (crontab -e):\n\n    ${crontabLine(run)}\n`,
    error: problem('timer-not-here', { why: 'the systemd of this user does not answer here' }),
  };
}

function elsewhere({ ctx }: Session, run: TimerRun): Outcome {
  if (ctx.platform === 'win32') {
    const text = `For the Task Scheduler of Windows:\n\n    ${taskLine(run)}\n`;
    return {
      data: dataOf([], false),
      text,
      error: problem('timer-not-here', { why: 'mailauth makes timers of systemd only, and this is Windows' }),
    };
  }
  const agent = launchAgent(run, ctx.machine.homeFolder);
  return {
    data: dataOf([agent], false),
    text: `For launchd:\n\n${printed([agent])}\n    launchctl bootstrap gui/$(id -u) ${agent.path}\n`,
    error: problem('timer-not-here', { why: 'mailauth makes timers of systemd only' }),
  };
}
