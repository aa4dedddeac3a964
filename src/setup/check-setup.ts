import type { Cloud } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { isHandedOver, type MailboxKey, type MailboxRecord } from '../core/mailbox.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import { secretFor } from '../tokens/bound.ts';
import type { Answers } from './answers/answers.ts';
import { flagAnswers } from './answers/ask.ts';
import { firstQuestions, registrationQuestions } from './answers/questions.ts';
import { type FirstAnswers, remainingAnswers } from './answers/remaining-answers.ts';
import { Said } from './answers/said.ts';
import { firstAnswers } from './begin-setup.ts';
import { isFinished } from './finished-setup.ts';
import { Journal } from './journal/journal.ts';
import { type InterruptedSetup, journals } from './journal/journal-file.ts';
import type { SetupDeps, SetupOptions } from './journal/setup-deps.ts';
import { certificateFromFiles } from './register/app-certificate.ts';
import { secretFromFile } from './register/client-secret.ts';
import { withFixedPort } from './register/fixed-port.ts';
import { appBefore, bringsCredential } from './register/registered-before.ts';
import { earlierOf, requireRest } from './setup-plan.ts';
import { passwordFromFile } from './sign-in/password-step.ts';

/** What a set-up would begin with. */
export interface CheckedSetup {
  readonly key: MailboxKey;
  readonly answers: Answers;
  readonly cloud: Cloud;
  readonly existing: MailboxRecord | undefined;
  readonly state: 'new' | 'interrupted' | 'finished';
  /** without what a finished set-up would do a second time */
  readonly input: SetupOptions;
  /** an administrator's token for Microsoft Graph is needed */
  readonly needsAdministrator: boolean;
}

/**
 * Everything that a set-up without a person refuses before it contacts anybody, and how far it is already. Changes nothing. Throws what `runSetup`
 * throws for wrong and missing answers (exits 2 and 3), and for files that cannot be used.
 */
export async function checkSetup(given: SetupOptions, deps: SetupDeps): Promise<CheckedSetup> {
  flagAnswers([...firstQuestions, ...registrationQuestions], {}, given.flags);
  const first = await firstAnswers(given, {}, new Said(), deps);
  const key: MailboxKey = { mailbox: first.mailbox, for: first.for };
  const [existing, journaled] = await Promise.all([
    readable(() => deps.mailboxes.readMailbox(key)),
    given.fresh ? undefined : readable(() => journals(deps.ctx, deps.home).read(key)),
  ]);
  // What was only answered in an earlier run is answered anew here, so that a row that was mended is not filled up with what was wrong.
  const isBegun = journaled?.registration !== undefined || journaled?.app !== undefined;
  const interrupted = isBegun ? journaled : undefined;
  const input = journaled === undefined || isBegun ? given : { ...given, fresh: true };
  const journal = new Journal(deps, key, interrupted);
  const answersOf = async (options: SetupOptions): Promise<Answers> => answersFor(options, first, { deps, existing, journal: journal.now });
  const answers = await answersOf(input);
  const cloud = await deps.cloud(interrupted?.cloud === undefined ? existing : { cloud: interrupted.cloud });
  await readFiles(input, first.mailbox, deps);
  requireRest({ deps, input, key, journal, said: new Said(), found: { tenants: new Map() } }, answers, existing, cloud);
  const needsAdministrator = answers.register === 'auto' && appBefore(journal.now, answers, input) === undefined;
  const checked = { key, answers, cloud, existing, input, needsAdministrator };
  if (interrupted !== undefined) return { ...checked, state: 'interrupted' };
  if (existing === undefined) return { ...checked, state: 'new' };
  const again = await onceMore(input, existing, cloud, deps);
  const isDone = !bringsCredential(again) && (await isFinished({ deps, input: again, cloud }, existing, await answersOf(again)));
  return isDone ? { ...checked, input: again, state: 'finished', needsAdministrator: false } : { ...checked, state: 'new' };
}

/** A file that cannot be read is told by the set-up itself, when it comes to it. */
async function readable<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MailauthError) return undefined;
    throw error;
  }
}

interface Before {
  readonly deps: SetupDeps;
  readonly existing: MailboxRecord | undefined;
  readonly journal: InterruptedSetup;
}

async function answersFor({ flags }: SetupOptions, first: FirstAnswers, { deps, existing, journal }: Before): Promise<Answers> {
  const answers = await remainingAnswers(first, flags, earlierOf(journal, existing), { ...deps, said: new Said() });
  return existing === undefined ? answers : withFixedPort(answers, existing, deps);
}

/** Throws what is wrong with the files that a set-up would read (exit 2). */
async function readFiles({ clientSecretFile, passwordFile, ...input }: SetupOptions, mailbox: string, deps: SetupDeps): Promise<void> {
  if (clientSecretFile !== undefined) await secretFromFile(deps.ctx, clientSecretFile);
  if (passwordFile !== undefined) await passwordFromFile(deps.ctx, passwordFile);
  await certificateFromFiles(deps, input, mailbox);
}

/**
 * The same set-up, run again: a secret that is in the store already is not brought once more, and a sign-in that only proved the app for a
 * product is not made a second time.
 */
async function onceMore(input: SetupOptions, existing: MailboxRecord, cloud: Cloud, deps: SetupDeps): Promise<SetupOptions> {
  const { clientSecretFile, certificateFile, certificateKeyFile, passwordFile, ...rest } = input;
  const isStored = await isSameCredential(input, existing, cloud, deps);
  const isProven = isHandedOver(existing) && (existing.lastTests.length > 0 || !input.test);
  return {
    ...(isStored ? rest : { ...rest, ...defined({ clientSecretFile, certificateFile, certificateKeyFile }) }),
    ...(isProven ? { flags: { ...rest.flags, signIn: 'skip' } } : defined({ passwordFile })),
  };
}

async function isSameCredential(input: SetupOptions, existing: MailboxRecord, cloud: Cloud, deps: SetupDeps): Promise<boolean> {
  const { registration, tenantId, mailbox } = existing;
  const certificate = await certificateFromFiles(deps, input, mailbox);
  if (certificate !== undefined) return certificate.thumbprint === registration.certificateThumbprint;
  if (input.clientSecretFile === undefined) return true;
  const given = await secretFromFile(deps.ctx, input.clientSecretFile);
  const authority = authorityOf(cloud, { tenantId, clientId: registration.clientId });
  const stored = await readable(async () => secretFor(await deps.store(existing), existing, authority, registration.shared));
  return stored?.reveal() === given.reveal();
}
