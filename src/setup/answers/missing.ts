import type { MailboxKey } from '../../core/mailbox.ts';
import { problem } from '../../errors/problem.ts';

/** An answer that nobody can be asked for here (exit 3). `example`: a whole command that would have worked. */
export const answerMissing = (flag: string, question: string, example: string): Error =>
  problem('answer-missing', { flag, question, example }, { detail: { flag } });

export const missingClientId = ({ mailbox, for: product }: MailboxKey): Error =>
  answerMissing('--client-id', 'Application (client) ID?', `mailauth setup --mailbox ${mailbox} --for ${product} --client-id GUID`);

export const missingSecret = (mailbox: string, clientId: string): Error =>
  answerMissing(
    '--client-secret-file',
    'client secret?',
    `mailauth setup --mailbox ${mailbox} --client-id ${clientId} --client-type confidential --client-secret-file FILE`,
  );

/** The whole command that signs in with a password. */
export const passwordCommand = ({ mailbox, for: product }: MailboxKey): string =>
  `mailauth setup --mailbox ${mailbox} --for ${product} --sign-in password --password-file FILE`;

export const missingPassword = (key: MailboxKey): Error => answerMissing('--password-file', 'password?', passwordCommand(key));

/** The change in the tenant was not agreed to, and nobody can be asked (exit 3). */
export const missingAgreement = ({ mailbox, for: product }: MailboxKey): Error =>
  problem('needs-yes', { what: 'Changing the tenant', command: `mailauth setup --mailbox ${mailbox} --for ${product} --yes` });
