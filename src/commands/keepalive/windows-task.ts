import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { line, mailauth, type NextStep, noted } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { asFlags, variableFlags } from '../../session/carried.ts';
import { guardWrites } from '../../store/home.ts';
import { ownSid } from '../../store/windows-access.ts';
import type { Timer, TimerRun } from './units.ts';

export const taskName = 'mailauth keepalive';

/** A daily task of the Task Scheduler, made of a file that stays in the folder of mailauth. `alone`: no mailbox needs the Credential Manager. */
export async function windowsTask(run: TimerRun, home: string, ctx: Context, alone: boolean): Promise<Timer> {
  const sid = await ownSid(ctx);
  const user = sid ?? ctx.machine.user;
  const path = join(home, 'keepalive-task.xml');
  const text = taskXml(run, user, ctx);
  const schtasks = async (...args: readonly string[]) => {
    const { code } = await ctx.windowsProgram('schtasks', args);
    if (code !== 0) throw problem('timer-refused', { what: `schtasks ${args.join(' ')}`, exit: code ?? 127 });
  };
  const change = line`schtasks /Change /TN ${taskName} /RU ${ctx.machine.user} /RP *`;
  const isOn = async () => (await ctx.windowsProgram('schtasks', ['/Query', '/TN', taskName])).code === 0;
  return {
    units: [{ path, text }],
    isHere: async () => true,
    isOn,
    async start() {
      // schtasks reads UTF-16 with a byte order mark, as the Task Scheduler exports its tasks.
      await guardWrites(home, () => ctx.files.writeAtomic(path, Buffer.from(`\uFEFF${text}`, 'utf16le')));
      try {
        await schtasks('/Create', '/TN', taskName, '/XML', path, '/F');
      } catch (error) {
        // The file alone would look like a task. What the Task Scheduler said is the news, not a file that cannot be removed.
        await ctx.files.remove(path).catch(() => false);
        throw error;
      }
    },
    async stop() {
      // Where somebody has removed the task already, that is no reason to leave its file.
      if (await isOn()) await schtasks('/Delete', '/TN', taskName, '/F');
      await guardWrites(home, () => ctx.files.remove(path));
    },
    next: [
      line`schtasks /Query /TN ${taskName} /V /FO LIST`,
      ...(alone
        ? [noted(change, 'so that it also runs while you are logged off: asks for your password')]
        : ([
            noted(mailauth('store move', 'file'), 'so that it can also run while you are logged off; then:'),
            change,
          ] satisfies NextStep[])),
    ],
  };
}

/** Since Windows 10 1809 conhost can run a program without showing its window (microsoft/terminal, `ConsoleArguments.cpp`). */
const firstHeadless = 17_763;

/** Microsoft, "Task Scheduler Schema". The order of a trigger's elements is fixed there. */
export function taskXml({ program, words, variables }: TimerRun, user: string, { env, machine }: Pick<Context, 'env' | 'machine'>): string {
  const command = [...program, ...words, ...asFlags(variables, words)];
  const isHeadless = Number(machine.release.split('.')[2]) >= firstHeadless;
  const conhost = `${env.SystemRoot || 'C:\\Windows'}\\System32\\conhost.exe`;
  const [file = '', ...args] = isHeadless ? [conhost, '--headless', ...command] : command;
  return `${[
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    '  <RegistrationInfo>',
    '    <Description>mailauth renews the sign-ins of mailboxes, once a day. mailauth keepalive --uninstall removes this task.</Description>',
    '  </RegistrationInfo>',
    '  <Triggers>',
    '    <CalendarTrigger>',
    '      <StartBoundary>2026-01-01T06:17:00</StartBoundary>',
    '      <RandomDelay>PT1H</RandomDelay>',
    '      <ScheduleByDay>',
    '        <DaysInterval>1</DaysInterval>',
    '      </ScheduleByDay>',
    '    </CalendarTrigger>',
    '  </Triggers>',
    '  <Principals>',
    '    <Principal id="Author">',
    `      <UserId>${escaped(user)}</UserId>`,
    '      <LogonType>InteractiveToken</LogonType>',
    '      <RunLevel>LeastPrivilege</RunLevel>',
    '    </Principal>',
    '  </Principals>',
    '  <Settings>',
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    '    <StartWhenAvailable>true</StartWhenAvailable>',
    '    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>',
    '  </Settings>',
    '  <Actions Context="Author">',
    '    <Exec>',
    `      <Command>${escaped(file)}</Command>`,
    `      <Arguments>${escaped(args.map(argument).join(' '))}</Arguments>`,
    '    </Exec>',
    '  </Actions>',
    '</Task>',
  ].join('\r\n')}\r\n`;
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);

/** The variables that no option replaces. */
export const withoutOption = ({ variables }: TimerRun): readonly string[] =>
  variables.flatMap(([name]) => (variableFlags.has(name) ? [] : [name]));

/** One argument as a program of Windows reads its command line (Microsoft, "Parsing C++ command-line arguments"). */
const argument = (word: string): string =>
  /^[^\s"]+$/.test(word) ? word : `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
