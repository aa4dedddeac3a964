import type { MailboxKey } from '../../core/mailbox.ts';
import { type Again, again, type Command, mailauth, type NextStep, noted } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';

/** Where no value can be named that would work: on a terminal the command asks for it, unless a flag forbids questions. */
export const asks = (command: Again, flag: string): Again =>
  noted({ ...command, without: [...command.without, ...noQuestions] }, `asks on a terminal; in a script, add ${flag}`);

const noQuestions = ['yes', 'no-input', 'json'];

/** An answer is missing and there is no person to ask (exit 3). `example`: the command that would have worked. */
export const answerMissing = (flag: string, question: string, example: NextStep): Error =>
  problem('answer-missing', { flag, question, example }, { detail: { flag } });

export const missingClientId = ({ mailbox, for: product }: MailboxKey): Error =>
  answerMissing('--client-id', 'Application (client) ID?', asks(again({ mailbox, for: product, register: 'existing' }), '--client-id'));

export const missingSecret = (mailbox: string, clientId: string): Error =>
  answerMissing(
    '--client-secret-file',
    'client secret?',
    noted(again({ mailbox, clientId, clientType: 'confidential', clientSecretFile: '-' }), 'with the secret on standard input'),
  );

/** The whole command that signs in with a password. */
export const passwordCommand = ({ mailbox, for: product }: MailboxKey): Command =>
  mailauth('setup', { mailbox, for: product, signIn: 'password', passwordFile: '-' });

export const missingPassword = (key: MailboxKey): Error =>
  answerMissing(
    '--password-file',
    'password?',
    noted(again({ mailbox: key.mailbox, for: key.for, signIn: 'password', passwordFile: '-' }), 'with the password on standard input'),
  );

/**
 * The change in the tenant was not agreed to, and there is no person to ask (exit 3). The next step is the command that ran, with its flags:
 * whoever agrees must agree to the change that was shown, and not to the one that the defaults would make.
 */
export const missingAgreement = ({ mailbox, for: product }: MailboxKey): Error =>
  problem('needs-yes', { what: 'Changing the tenant', command: again({ mailbox, for: product, yes: true }) });
