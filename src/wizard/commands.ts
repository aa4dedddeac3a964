import type { Cloud } from '../core/cloud.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { setupCommand } from '../diagnose/catalogue/entra-words.ts';

/** `mailauth setup` for exactly this mailbox, product and cloud, with more flags behind. */
export const setupHere = ({ mailbox, for: product }: MailboxKey, cloud: Cloud, flags: string): string =>
  setupCommand({ mailbox, cloud }, product === 'this-computer' ? flags : `--for ${product} ${flags}`);

/** The command that goes on with an interrupted set-up. */
export const resumeHere = (key: MailboxKey, cloud: Cloud): string => setupHere(key, cloud, '--resume');
