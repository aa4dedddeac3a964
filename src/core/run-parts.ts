import type { Context, Network } from './context.ts';
import type { MailauthError } from './errors.ts';
import type { Secret } from './secret.ts';

type StepState = 'started' | 'waiting' | 'done' | 'skipped' | 'failed';

/** Somebody elsewhere is waited for: a person in a browser, an administrator. */
export interface Wait {
  readonly step: string;
  /** what a log and a program read, once */
  readonly text: string;
  /** what a terminal shows, with the time that has passed and the limit behind it */
  readonly live: string;
  readonly limitMs: number;
  /** of the limit, when this is called */
  readonly leftMs: number;
  /** what keys do, each `key does this`; only where the reporter `takesKeys` */
  readonly keys?: readonly string[];
}

/** How a run tells what it is doing: lines on stderr for people, JSON lines on stdout for programs. */
export interface Reporter {
  /** `text` is for people: one line, past tense when done */
  progress(step: string, state: StepState, text: string): void;
  /** like `started`, for people alone: a part of a step that programs know as one */
  busy(step: string, text: string): void;
  /** shows a person at a terminal that this goes on, once it takes longer than a second and where nothing else is shown */
  meanwhile<T>(text: string, doing: Promise<T>): Promise<T>;
  /** moves until the next report of another step */
  waiting(wait: Wait): void;
  /** a person at a terminal that can be redrawn reads this: what is long can be shown on request, by a key */
  readonly takesKeys: boolean;
  /** false: a program reads this, so nothing is left out */
  readonly isForPeople: boolean;
  /** the address to sign in at; `expiresAt` in milliseconds since the epoch; `userCode` is typed there (device code flow) */
  authorizationRequired(url: string, expiresAt: number, userCode?: string): void;
  /** something worth knowing; left out by --quiet. `command` ends it, on a terminal whole and in a line of its own: a copy of it runs */
  note(text: string, command?: string): void;
  /** only with --verbose */
  detail(text: string): void;
  /** a block of text for the person at work (portal steps, summary); shown even with --quiet */
  show(text: string): void;
  /** the run ends here: the progress line is closed, because other output follows */
  settle(): void;
}

/** The sign-in of an administrator for one service; it stays in memory. */
export interface AdminGrant {
  /** for the service that it was asked for; it is never stored and comes without a refresh token */
  readonly token: Secret;
  readonly account: string | undefined;
  /** milliseconds since the epoch */
  readonly expiresAt: number;
}

/** What a run shares among everything that talks to Microsoft, to a mail server or to the person at the terminal. */
export interface Run {
  readonly ctx: Context;
  readonly report: Reporter;
  /** a person is there and prompts are on */
  readonly canAsk: boolean;
  /** where nothing else is asked: an address may still be pasted at a sign-in. Left out: as `canAsk` */
  readonly asksForAddress?: boolean;
  /** of a run of many set-ups: sign-ins of administrators that count for all of them, by service and tenant, or why Microsoft refused one */
  readonly administrators?: Map<string, AdminGrant | MailauthError>;
  /** limit of one network step */
  readonly stepTimeoutMs: number;
  /** how long a browser is waited for */
  readonly browserTimeoutMs: number;
  /** the network that trusts what this cloud needs */
  network(): Promise<Network>;
}
