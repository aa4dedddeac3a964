import { problem } from '../diagnose/problem.ts';
import type { Answers } from './answers.ts';

/** An answer that nobody can be asked for here (exit 3). `example`: a whole command that would have worked. */
export const answerMissing = (flag: string, question: string, example: string): Error =>
  problem('answer-missing', { flag, question, example }, { detail: { flag } });

export const missingClientId = ({ mailbox, for: product }: Pick<Answers, 'mailbox' | 'for'>): Error =>
  answerMissing('--client-id', 'Application (client) ID?', `mailauth setup --mailbox ${mailbox} --for ${product} --client-id GUID`);

export const missingSecret = (mailbox: string, clientId: string): Error =>
  answerMissing(
    '--client-secret-file',
    'client secret?',
    `mailauth setup --mailbox ${mailbox} --client-id ${clientId} --client-type confidential --client-secret-file FILE`,
  );

/** The change in the tenant was not agreed to, and nobody can be asked (exit 3). */
export const missingAgreement = ({ mailbox, for: product }: Pick<Answers, 'mailbox' | 'for'>): Error =>
  problem('needs-yes', { what: 'Changing the tenant', command: `mailauth setup --mailbox ${mailbox} --for ${product} --yes` });
