import type { Cloud } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { type Command, type KnownOfSetup, mailauth, ofSetup, withFlagsGiven } from '../../core/next.ts';

/** `mailauth setup` for exactly this mailbox, product and cloud. */
export const setupHere = (
  { mailbox, for: product }: MailboxKey,
  cloud: Cloud,
  flags: Readonly<Record<string, string | boolean>>,
): Command => mailauth('setup', { mailbox, cloud, for: product === 'this-computer' ? undefined : product, ...flags });

/** An error whose commands leave out what this set-up is about, with it. */
export const ofThisSetup = (known: KnownOfSetup, error: unknown): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.map((step) => ofSetup(step, known)) }) : error;

/** An error whose `mailauth setup` is the one that is running, with the flags that were given to it. */
export const withFlagsOf = (given: Command | undefined, error: unknown): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.map((step) => withFlagsGiven(step, given)) }) : error;

/** The command that goes on with an interrupted set-up. */
export const resumeHere = (key: MailboxKey, cloud: Cloud): Command => setupHere(key, cloud, { resume: true });
