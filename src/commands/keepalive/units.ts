import { join, resolve } from 'node:path';
import type { NextStep } from '../../core/next.ts';
import { shellWord } from '../../core/shell/quoting.ts';

/** What the timer runs. */
export interface TimerRun {
  /** Node.js and the script, absolute */
  readonly program: readonly string[];
  /** `keepalive` with its flags */
  readonly words: readonly string[];
  /** the variables of this shell that a renewal needs; never a secret */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

export interface Unit {
  readonly path: string;
  readonly text: string;
}

/** A timer of this user's scheduler. */
export interface Timer {
  /** the files that describe it */
  readonly units: readonly Unit[];
  /** the scheduler answers */
  isHere(): Promise<boolean>;
  /** it has this timer, and the timer runs */
  isOn(): Promise<boolean>;
  /** Writes the files and starts it. Throws `timer-refused`, as `stop` does. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** what a person does next */
  readonly next: readonly NextStep[];
}

export const timerName = 'mailauth-keepalive.timer';
const serviceName = 'mailauth-keepalive.service';

/** A service and its timer for the user's own systemd (systemd.unit(5), "Unit File Load Path"). `config`: the user's config folder. */
export function unitsOf({ program, words, variables }: TimerRun, config: string): readonly Unit[] {
  const folder = join(config, 'systemd', 'user');
  const service = [
    '# Made by mailauth keepalive --install; mailauth keepalive --uninstall removes it.',
    '[Unit]',
    'Description=mailauth: renews the sign-ins of mailboxes',
    '',
    '[Service]',
    'Type=oneshot',
    ...variables.map(([name, value]) => `Environment=${unitWord(`${name}=${value}`)}`),
    // systemd puts variables of its own into the place of $NAME.
    `ExecStart=${[...program, ...words].map((word) => unitWord(word).replaceAll('$', '$$$$')).join(' ')}`,
  ];
  const timer = [
    '# Made by mailauth keepalive --install; mailauth keepalive --uninstall removes it.',
    '[Unit]',
    'Description=mailauth: renews the sign-ins of mailboxes, once a day',
    '',
    '[Timer]',
    'OnCalendar=daily',
    'RandomizedDelaySec=1h',
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
  ];
  return [
    { path: join(folder, serviceName), text: `${service.join('\n')}\n` },
    { path: join(folder, timerName), text: `${timer.join('\n')}\n` },
  ];
}

/** One word in double quotes (systemd.syntax(7), "Quoting"); a percent sign would begin a specifier (systemd.unit(5)). */
const unitWord = (word: string): string => `"${word.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('\n', '\\n')}"`;

/** The same for cron, where there is no systemd. A percent sign would end the command (crontab(5)). */
export function crontabLine({ program, words, variables }: TimerRun): string {
  const set = variables.map(([name, value]) => `${name}=${shellWord(value, 'posix')}`);
  const command = ['env', ...set, ...[...program, ...words].map((word) => shellWord(word, 'posix'))];
  return `17 6 * * * ${command.join(' ').replaceAll('%', '\\%')}`;
}

/** A launch agent of macOS (launchd.plist(5)), and the command that loads it. */
export function launchAgent({ program, words, variables }: TimerRun, home: string): Unit {
  const text = (value: string) =>
    `<string>${value.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c)}</string>`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0"><dict>',
    '<key>Label</key><string>mailauth.keepalive</string>',
    `<key>ProgramArguments</key><array>${[...program, ...words].map(text).join('')}</array>`,
    `<key>EnvironmentVariables</key><dict>${variables.map(([name, value]) => `<key>${name}</key>${text(value)}`).join('')}</dict>`,
    '<key>StartCalendarInterval</key><dict><key>Hour</key><integer>6</integer><key>Minute</key><integer>17</integer></dict>',
    '</dict></plist>',
  ];
  return { path: resolve(home, 'Library', 'LaunchAgents', 'mailauth.keepalive.plist'), text: `${lines.join('\n')}\n` };
}
