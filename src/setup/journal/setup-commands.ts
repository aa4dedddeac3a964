import type { Cloud } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import { setupCommand } from '../../core/links.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { fromHere, type Here } from '../../errors/here.ts';

/** `mailauth setup` for exactly this mailbox, product and cloud, with more flags behind. */
export const setupHere = ({ mailbox, for: product }: MailboxKey, cloud: Cloud, flags: string): string =>
  setupCommand({ mailbox, cloud }, product === 'this-computer' ? flags : `--for ${product} ${flags}`);

/** An error whose commands leave out what this set-up is about, with it. */
export const asToldIn = (setup: NonNullable<Here['setup']>, error: unknown): unknown =>
  error instanceof MailauthError ? fromHere(error, { sandbox: false, setup }) : error;

/** The command that goes on with an interrupted set-up. */
export const resumeHere = (key: MailboxKey, cloud: Cloud): string => setupHere(key, cloud, '--resume');
