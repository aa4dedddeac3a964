import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { readExchangeChoice } from '../../exchange/choose-way.ts';
import type { AnswerId } from '../../setup/answers/answers.ts';
import type { Flags } from '../../setup/answers/question.ts';
import { allQuestions } from '../../setup/answers/questions.ts';
import type { SetupOptions } from '../../setup/journal/setup-deps.ts';

const text = z.optional(z.string());
const schema = z.object({
  clientSecretFile: text,
  certificate: text,
  certificateKeyFile: text,
  passwordFile: text,
  handover: text,
  exchange: text,
  test: z.optional(z.boolean()),
  resume: z.optional(z.boolean()),
  fresh: z.optional(z.boolean()),
});

/** The flags of the questions. */
export function answerFlags(flags: unknown): Flags {
  const given = z.record(z.string(), z.unknown()).parse(flags);
  const answers: Partial<Record<AnswerId, string>> = {};
  for (const { id } of allQuestions) {
    const value = given[id];
    if (typeof value === 'string') answers[id] = value;
    else if (value === true) answers[id] = 'yes';
  }
  return answers;
}

/** The flags, and for those that are not given the environment (docs/contract.md, "Environment"). Throws `usage`. */
export function readInput(flags: unknown, env: Context['env']): SetupOptions {
  const given = schema.parse(flags);
  const answers = answerFlags(flags);
  refuseEmpty({ ...answers, ...given });
  refuseTogether(given, answers);
  if (answers.sharedApp !== undefined) refuseBesideShared(given, answers);
  const { clientSecretFile, certificate, certificateKeyFile, passwordFile, test, resume, fresh } = given;
  const exchange = readExchangeChoice(given.exchange);
  const fromEnv = { mailbox: env.MAILAUTH_MAILBOX, tenant: env.MAILAUTH_TENANT, clientId: env.MAILAUTH_CLIENT_ID };
  // Who has a client secret has a confidential client; without this the file would be left unread.
  const fromSecret = clientSecretFile === undefined ? {} : { clientType: 'confidential' };
  const all = Object.entries({ ...withoutEmpty(fromEnv), ...fromSecret, ...withoutEmpty(answers) });
  return {
    flags: Object.fromEntries(all),
    test: test !== false,
    resume: resume === true,
    fresh: fresh === true,
    ...defined({ clientSecretFile, passwordFile, exchange }),
    ...defined({
      certificateFile: certificate && resolve(certificate),
      certificateKeyFile: certificateKeyFile && resolve(certificateKeyFile),
    }),
  };
}

/** What does not go with one app for many mailboxes. Throws `usage`. */
function refuseBesideShared({ certificate }: z.infer<typeof schema>, { register }: Flags): void {
  if (register === 'portal' || register === 'handoff') {
    throw usage(`--shared-app does not go with --register ${register}: give it beside --client-id, when the app is there`);
  }
  if (certificate !== undefined) {
    throw usage('--shared-app does not go with --certificate: its client secret is stored once for all mailboxes');
  }
}

/** Flags that contradict each other. A default from the environment contradicts nothing: a flag wins. Throws `usage`. */
function refuseTogether(given: z.infer<typeof schema>, { access, register, clientId, clientType }: Flags): void {
  const { clientSecretFile, certificate, certificateKeyFile, passwordFile, resume, fresh, handover } = given;
  if (certificateKeyFile !== undefined && certificate === undefined) throw usage('--certificate-key-file needs --certificate');
  if (certificate !== undefined && access !== 'app-only') throw usage('--certificate needs --access app-only');
  if (certificate !== undefined && register === 'handoff') {
    throw usage('--certificate does not go with --register handoff: give it beside --client-id, when the administrator has answered');
  }
  if (certificate !== undefined && clientSecretFile !== undefined) {
    throw usage('--certificate stands in place of --client-secret-file: give one of them');
  }
  if (register === 'auto' && clientId !== undefined) {
    throw usage('--register auto makes the app, and --client-id names one that is there: give one of them', { register: 'auto' });
  }
  if (access === 'app-only' && handover !== undefined) {
    throw usage('--handover does not go with --access app-only: the program asks for its tokens itself, and has no form to fill in');
  }
  if (resume === true && fresh === true) throw usage('--resume goes on with what --fresh forgets: give one of them');
  if (clientSecretFile === '-' && passwordFile === '-') {
    throw usage('--client-secret-file and --password-file cannot both be read from standard input');
  }
  if (clientSecretFile !== undefined && clientType === 'public') {
    throw usage('A public client has no client secret: --client-secret-file needs a confidential client');
  }
}

const usage = (message: string, flags: Readonly<Record<string, string | boolean>> = { help: true }) =>
  problem('usage', { message, help: mailauth('setup', flags) });

/** A script's variable that is empty would otherwise choose a default. Throws `usage`. */
function refuseEmpty(flags: Readonly<Record<string, unknown>>): void {
  const [empty] = Object.entries(flags).filter(([, value]) => typeof value === 'string' && value.trim() === '');
  if (empty === undefined) return;
  const flag = empty[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usage(`--${flag} was given without a value`);
}

const withoutEmpty = (values: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''));
