import type { Cloud, Tenant } from '../core/cloud.ts';
import { fold } from '../core/fold.ts';
import type { MadeRegistration, MailboxKey, Registration } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../diagnose/problem.ts';
import { proveSecret } from '../entra/prove-secret.ts';
import { type PortalStep, portalSteps } from '../guides/portal-steps.ts';
import type { SecretStore } from '../store/store.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { type Answers, checkGuid } from './answers.ts';
import { throughGraph } from './auto.ts';
import { pendingSecretEntry, secretFromFile, secretFromPrompt } from './client-secret.ts';
import type { SetupDeps, SetupInput } from './deps.ts';
import type { JournaledRegistration } from './journal.ts';
import type { Proof } from './proof-step.ts';

export interface RegistrationStep {
  readonly deps: SetupDeps;
  readonly input: SetupInput;
  readonly key: MailboxKey;
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly store: SecretStore;
  /** what an earlier run made through Graph */
  readonly registration: JournaledRegistration | undefined;
  /** notes what was made, before the next thing is made */
  note(registration: JournaledRegistration): Promise<void>;
  /** the app whose client secret an interrupted run left in the store */
  readonly waitingFor: string | undefined;
  /** notes what the operator brought, before anything else happens */
  remember(answers: Answers): Promise<void>;
}

/**
 * Without a person: what `register` would have to ask for, said before the network and the keychain are touched.
 * `kept`: an earlier run may have left a client secret in the store. Throws `answer-missing`.
 */
export function requireAnswers(answers: Answers, input: SetupInput, deps: SetupDeps, cloud: Cloud, kept: boolean): void {
  if (answers.register === 'handoff') return;
  if (answers.register === 'auto') {
    if (deps.agreed) return;
    throw problem('needs-yes', {
      what: 'Changing the tenant',
      command: `mailauth setup --mailbox ${answers.mailbox} --for ${answers.for} --yes`,
    });
  }
  if (answers.clientId === undefined) {
    // What to do in the portal is worth reading also where nobody can be asked.
    const steps = answers.register === 'portal' ? portalSteps({ ...answers, portal: cloud.portal }) : [];
    steps.forEach((step, i) => {
      deps.report.show(renderStep(step, i + 1, steps.length, columnsOf(deps)));
    });
    throw missingClientId(answers);
  }
  const secretKnown = kept || input.clientSecretFile !== undefined || deps.knownSecret(answers.clientId) !== undefined;
  if (answers.clientType === 'confidential' && !secretKnown) throw missingSecret(answers.mailbox, answers.clientId);
}

export interface Registered {
  readonly answers: Answers;
  /** for the mailbox file */
  readonly registration: Registration;
  readonly clientSecret?: Secret;
  /** where the product catches the redirect itself: this computer's, for a proof */
  readonly proof?: Proof;
}

/**
 * The app: its ID from the operator (`existing`) or from the portal, screen by screen (`portal`); its secret into the store before
 * anything else happens, or made through Microsoft Graph (`auto`); then what can be checked without a person is checked.
 */
export async function register(answers: Answers, step: RegistrationStep): Promise<Registered> {
  const ways = { portal: throughPortal, existing, auto: throughGraph };
  if (answers.register === 'handoff') throw new Error('a handoff ends before the registration');
  const way = await ways[answers.register](answers, step);
  const { report } = step.deps;
  report.progress('registration', 'started', 'Checking the app');
  try {
    const { ctx, stepTimeoutMs } = step.deps;
    const app = {
      cloud: step.cloud,
      tenantId: step.tenant.id,
      endpoints: step.tenant.endpoints,
      clientId: way.clientId,
      mailbox: step.key.mailbox,
      network: await step.deps.network(),
      clock: ctx.clock,
      timeoutMs: stepTimeoutMs,
      signal: ctx.signal,
      ...(way.clientSecret === undefined ? {} : { clientSecret: way.clientSecret }),
    };
    const verdict = await proveSecret(app, (text) => report.progress('registration', 'waiting', text), way.fresh === true);
    const secret = way.clientSecret === undefined ? '' : verdict.kind === 'ok' ? ', its secret works' : ', its secret is stored';
    const known = verdict.kind === 'ok' ? ' is known to the tenant' : ' taken as given; the sign-in proves it';
    // Of an app that was just made, "taken as given" would be news to nobody.
    if (verdict.kind === 'ok' || way.made === undefined) report.progress('registration', 'done', `App ${way.clientId}${known}${secret}`);
  } catch (error) {
    // A pasted secret that Microsoft refuses is not kept for the next run.
    if (way.clientSecret !== undefined && way.made === undefined) await step.store.remove(pendingSecretEntry(step.key));
    throw error;
  }
  return {
    answers: { ...answers, clientId: way.clientId },
    registration: {
      clientId: way.clientId.toLowerCase(),
      clientType: answers.clientType,
      redirectUri: answers.redirectUri,
      madeByMailauth: way.madeByMailauth === true,
      ...(way.secretExpiresAt === undefined ? {} : { secretExpiresAt: way.secretExpiresAt }),
      ...(way.secretKeyId === undefined ? {} : { secretKeyId: way.secretKeyId }),
      ...(way.oldSecretKeyId === undefined ? {} : { oldSecretKeyId: way.oldSecretKeyId }),
      ...(way.made === undefined ? {} : { made: way.made, name: answers.name, audience: answers.audience }),
      ...(way.made === undefined || answers.variant === undefined ? {} : { variant: answers.variant }),
    },
    ...(way.clientSecret === undefined ? {} : { clientSecret: way.clientSecret }),
    ...(way.proof === undefined ? {} : { proof: way.proof }),
  };
}

/** What each way to register comes to. */
export interface Way {
  readonly clientId: string;
  readonly clientSecret?: Secret;
  /** just made: Microsoft may need a minute until every data centre knows it */
  readonly fresh?: boolean;
  readonly secretExpiresAt?: string;
  readonly secretKeyId?: string;
  readonly oldSecretKeyId?: string;
  readonly made?: MadeRegistration;
  readonly madeByMailauth?: boolean;
  readonly proof?: Proof;
}

async function existing(answers: Answers, step: RegistrationStep): Promise<Way> {
  if (answers.clientId === undefined) throw missingClientId(answers);
  if (answers.clientType === 'public') return { clientId: answers.clientId };
  return { clientId: answers.clientId, clientSecret: await keepSecret(await findSecret(answers.clientId, step), step) };
}

async function throughPortal(answers: Answers, step: RegistrationStep): Promise<Way> {
  const { deps, cloud } = step;
  let { clientId } = answers;
  const steps = (id: string | undefined) =>
    portalSteps({ ...answers, portal: cloud.portal, ...(id === undefined ? {} : { clientId: id }) });
  const count = steps(clientId).length;
  let clientSecret: Secret | undefined;
  for (let i = 0; i < count; i += 1) {
    const screen = steps(clientId)[i];
    if (screen === undefined) break;
    // Resumed behind the first screen: the app is there.
    if (screen.yields === 'client-id' && clientId !== undefined) continue;
    deps.report.show(renderStep(screen, i + 1, count, columnsOf(deps)));
    if (screen.yields === 'client-id' && deps.canAsk) {
      clientId = await askClientId(deps, answers);
      await step.remember({ ...answers, clientId });
    } else if (screen.yields === 'client-secret' && clientId !== undefined) {
      clientSecret = await keepSecret(await findSecret(clientId, step), step);
    } else if (deps.canAsk) await waitDone(deps);
  }
  if (clientId === undefined) throw missingClientId(answers);
  return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) };
}

const columnsOf = ({ ctx }: SetupDeps): number => (ctx.err.isTerminal ? ctx.err.columns : Number.POSITIVE_INFINITY);

function askClientId({ ctx, facts }: SetupDeps, answers: Answers): Promise<string> {
  // The sandbox has no portal to fetch one from, but an app that is ready.
  const ready = facts.clientId?.(answers);
  return ctx.prompts.text({ message: 'Application (client) ID?', check: checkGuid, ...(ready === undefined ? {} : { default: ready }) });
}

async function waitDone({ ctx }: SetupDeps): Promise<void> {
  while (!(await ctx.prompts.confirm({ message: 'Done?', default: true }))) {
    // Asked again until the operator is back from the portal; Ctrl-C stops, and the set-up can be resumed.
  }
}

function missingClientId(answers: Answers): Error {
  return problem(
    'answer-missing',
    {
      flag: '--client-id',
      question: 'Application (client) ID?',
      example: `mailauth setup --mailbox ${answers.mailbox} --for ${answers.for} --client-id GUID`,
    },
    { detail: { flag: '--client-id' } },
  );
}

/** File, earlier run, the place's own, prompt; in this order. Throws `answer-missing` naming --client-secret-file. */
async function findSecret(clientId: string, { deps, input, key, store, waitingFor }: RegistrationStep): Promise<Secret> {
  if (input.clientSecretFile !== undefined) return secretFromFile(deps.ctx, input.clientSecretFile);
  const waiting = waitingFor?.toLowerCase() === clientId.toLowerCase() ? await store.read(pendingSecretEntry(key)) : undefined;
  if (waiting !== undefined) return waiting;
  const record = await deps.mailboxes.readMailbox(key);
  const kept = record?.registration.clientId === clientId.toLowerCase() ? await store.read(clientSecretEntry(key)) : undefined;
  const found = kept ?? deps.knownSecret(clientId);
  if (found !== undefined) return found;
  if (deps.canAsk) return secretFromPrompt(deps.ctx);
  throw missingSecret(key.mailbox, clientId);
}

function missingSecret(mailbox: string, clientId: string): Error {
  return problem(
    'answer-missing',
    {
      flag: '--client-secret-file',
      question: 'client secret?',
      example: `mailauth setup --mailbox ${mailbox} --client-id ${clientId} --client-type confidential --client-secret-file FILE`,
    },
    { detail: { flag: '--client-secret-file' } },
  );
}

async function keepSecret(secret: Secret, { deps, key, store }: RegistrationStep): Promise<Secret> {
  await store.write(pendingSecretEntry(key), secret);
  deps.report.progress('secret', 'done', 'Client secret stored');
  return secret;
}

/** `columns`: of the terminal, Infinity for a pipe. The link stays whole, so that it can be clicked and copied. */
function renderStep(step: PortalStep, number: number, count: number, columns: number): string {
  const width = Math.max(0, ...step.values.map((v) => v.field.length)) + 8;
  const values = step.values.map((v, i) => {
    const label = v.field === step.values[i - 1]?.field ? '' : v.field;
    return `      ${label}`.padEnd(width) + fold(v.value, columns, width);
  });
  return [
    '',
    `  Step ${number} of ${count}: ${step.title}`,
    `  ${fold(step.menu, columns, 2)}`,
    `  ${step.link}`,
    '',
    ...step.actions.map((action) => `    - ${fold(action, columns, 6)}`),
    ...values,
    ...(step.trap === undefined ? [] : ['', `    ${fold(`Careful: ${step.trap}`, columns, 4)}`]),
    '',
  ].join('\n');
}
