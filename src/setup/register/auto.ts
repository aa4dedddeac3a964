import { defined } from '../../core/defined.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import type { Secret } from '../../core/secret.ts';
import { type Authority, authorityOf } from '../../core/sign-in-authority.ts';
import type { Graph } from '../../entra/graph.ts';
import { addProofRedirect, removeProofRedirect } from '../../entra/proof-redirect.ts';
import { type RegisteredApp, registerApp } from '../../entra/registration.ts';
import type { RegistrationProgress } from '../../entra/registration-run.ts';
import type { GraphCommands } from '../../errors/catalogue/registration/graph-errors.ts';
import { decodeClientSecret, encodeClientSecret } from '../../store/client-secret-entry.ts';
import { ownSecretEntry, pendingSecretEntry, sharedSecretEntry } from '../../store/token-entry.ts';
import { secretFor } from '../../tokens/bound.ts';
import type { Answers } from '../answers/answers.ts';
import { wantsProof } from '../answers/fitting.ts';
import type { JournaledRegistration } from '../journal/journal-file.ts';
import { waitWords } from '../sign-in/admin-graph.ts';
import type { Proof } from '../sign-in/registered-setup.ts';
import { commandsOf } from './admin-step.ts';
import { adopt } from './adopt-step.ts';
import { freeRedirect } from './fixed-port.ts';
import { planOf, type RegistrationResult, type RegistrationStep } from './registration-step.ts';
import { withReference } from './service-reference.ts';

/** `--register auto`, before anything is made: what the registration needs is journaled, and the key of what is put on the app is stored. */
export async function beginRegistration(step: RegistrationStep): Promise<JournaledRegistration> {
  const marks = step.isShared ? { shared: true, tenantId: step.tenant.id } : {};
  const made: JournaledRegistration = { setupId: step.deps.ctx.random.uuid(), grantIds: [], ...step.madeBefore, ...marks };
  if (step.certificate !== undefined) await keepPending(step, made, step.certificate.pem);
  await step.journal.registering(made);
  return made;
}

/**
 * `--register auto`, once it was agreed to and an administrator has signed in: makes the tenant as planned. Every step is journaled; run
 * again it completes what is there and changes only what differs.
 */
export async function throughGraph(given: Answers, step: RegistrationStep): Promise<RegistrationResult> {
  const { deps, graph } = step;
  if (graph === undefined) throw new Error('no administrator has signed in');
  let made = step.madeBefore ?? (await beginRegistration(step));
  const commands = commandsOf(given, step);
  deps.report.progress('registration', 'started', 'Registering the app');
  const update = async ({ proofRedirect, ...more }: Update): Promise<void> => {
    const { proofRedirect: before, ...rest } = made;
    const proof = proofRedirect === null ? undefined : (proofRedirect ?? before);
    made = { ...rest, ...more, ...defined({ proofRedirect: proof }) };
    await step.journal.registering(made);
  };
  if (made.creating !== true && made.appObjectId === undefined) {
    const adopted = await adopt(graph, planOf(given, step, made), commands, step);
    if (adopted !== undefined) await update({ appObjectId: adopted.appObjectId, appId: adopted.appId, adopted: true });
  }
  const keyIds = await heldKeyIds(made, step);
  const keepKeyIds = [made.oldSecretKeyId, ...(await unboundKeyIds(made, step))].filter((id) => id !== undefined);
  const attempt = (plan: RegistrationPlan, before: JournaledRegistration): Promise<RegisteredApp> =>
    registerApp(
      {
        graph,
        commands,
        clock: deps.ctx.clock,
        signal: deps.ctx.signal,
        onWait: (reason, ms) => deps.report.progress('registration', 'waiting', waitWords(reason, ms)),
        keepSecret: async (secret, { keyId, endDateTime }) => {
          await keepPending(step, made, secret);
          await update({ secretKeyId: keyId, secretExpiresAt: endDateTime });
        },
      },
      plan,
      { ...known(before), keyIds, keepKeyIds },
      (progress) => update(afterwards(progress, made)),
    );
  const { answers, app } = await withReference(given, step, made, attempt);
  const plan = planOf(answers, step, made);
  report(app, graph, step, made);
  const clientSecret = await heldSecret(step, made, app.appId);
  const proof = await makeProof(answers, { graph, commands, step, appObjectId: app.appObjectId, made: () => made, update });
  return { ...resultOf(app, plan, made, { graph, clientSecret, proof }), answers };
}

interface RegisteredParts {
  readonly graph: Graph;
  readonly clientSecret: Secret | undefined;
  readonly proof: Proof | undefined;
}

function resultOf(
  app: RegisteredApp,
  { tag, publicClientFlows }: RegistrationPlan,
  made: JournaledRegistration,
  { graph, clientSecret, proof }: RegisteredParts,
): RegistrationResult {
  return {
    clientId: app.appId,
    graph,
    fresh: app.changed.length > 0,
    ...defined({
      proof,
      clientSecret,
      secretKeyId: app.secret?.keyId,
      oldSecretKeyId: made.oldSecretKeyId,
      secretExpiresAt: made.secretExpiresAt,
    }),
    made: {
      tag,
      applicationObjectId: app.appObjectId,
      grantIds: Object.values(app.grantIds),
      ...defined({ servicePrincipalId: app.spObjectId }),
    },
    madeByMailauth: made.adopted !== true,
    publicClientFlows,
  };
}

/** `null` removes the entry from the journal. */
type Update = Omit<Partial<JournaledRegistration>, 'proofRedirect'> & { readonly proofRedirect?: string | null };

interface ProofParts {
  readonly graph: Graph;
  readonly commands: GraphCommands;
  readonly step: RegistrationStep;
  readonly appObjectId: string;
  made(): JournaledRegistration;
  update(more: Update): Promise<void>;
}

/**
 * One redirect to this computer. It is in the journal before it is added, so that a crash cannot leave it in the registration: one that an
 * earlier run left is removed first.
 */
async function makeProof(answers: Answers, parts: ProofParts): Promise<Proof | undefined> {
  const { graph, commands, step, appObjectId, made, update } = parts;
  const { ctx } = step.deps;
  const deps = { graph, commands, clock: ctx.clock, signal: ctx.signal };
  const remove = async () => {
    const { proofRedirect } = made();
    if (proofRedirect === undefined) return;
    await removeProofRedirect(deps, appObjectId, proofRedirect);
    await update({ proofRedirect: null });
  };
  await remove();
  if (!wantsProof(answers)) return undefined;
  // The Web platform takes it exactly.
  const redirectUri = await freeRedirect(step.deps, '/mailauth');
  await update({ proofRedirect: redirectUri });
  await addProofRedirect(deps, appObjectId, redirectUri);
  step.deps.report.progress('registration', 'done', `Redirect ${redirectUri} added for the proof; it is removed afterwards`);
  return { redirectUri, remove: () => (step.alone === undefined ? remove() : step.alone(remove)) };
}

const known = ({ creating, appObjectId, appId, spObjectId }: JournaledRegistration) => ({
  ...defined({ creating, appObjectId, appId, spObjectId }),
});

function afterwards(progress: RegistrationProgress, before: JournaledRegistration): Partial<JournaledRegistration> {
  switch (progress.step) {
    case 'creating':
      return { creating: true };
    case 'application':
      return { appObjectId: progress.appObjectId, appId: progress.appId };
    case 'service-principal':
      return { spObjectId: progress.spObjectId };
    case 'grant':
      return { grantIds: [...new Set([...before.grantIds, progress.grantId])] };
    case 'secret':
      return { secretKeyId: progress.keyId, secretExpiresAt: progress.endDateTime };
  }
}

/** A secret whose value the store has lost is of no use: a new one is made, and the lost one is removed. */
async function heldKeyIds(made: JournaledRegistration, step: RegistrationStep): Promise<readonly string[]> {
  return made.secretKeyId !== undefined && (await heldSecret(step, made)) !== undefined ? [made.secretKeyId] : [];
}

/** A secret of the first edition does not say where it belongs. It is not used here, but a product may be using it: it is not removed either. */
async function unboundKeyIds(
  { secretKeyId, shared }: JournaledRegistration,
  { store, key }: RegistrationStep,
): Promise<readonly (string | undefined)[]> {
  if (shared === true) return [];
  const stored = (await store.read(pendingSecretEntry(key))) ?? (await store.read(ownSecretEntry(key)));
  return stored !== undefined && decodeClientSecret(stored).authority === undefined ? [secretKeyId] : [];
}

const authorityIn = ({ cloud, tenant }: RegistrationStep, clientId: string | undefined): Authority =>
  authorityOf(cloud, { tenantId: tenant.id, clientId });

const heldSecret = (step: RegistrationStep, { shared, appId }: JournaledRegistration, clientId = appId): Promise<Secret | undefined> =>
  secretFor(step.store, step.key, authorityIn(step, clientId), shared === true);

/** The other mailboxes of a shared app have no other secret, and none is made while one works. */
const keepPending = (step: RegistrationStep, { shared, appId }: JournaledRegistration, secret: Secret): Promise<void> => {
  const entry = shared === true && appId !== undefined ? sharedSecretEntry(appId) : pendingSecretEntry(step.key);
  return step.store.write(entry, encodeClientSecret(secret, authorityIn(step, appId)));
};

function report(app: RegisteredApp, graph: Graph, { deps }: RegistrationStep, made: JournaledRegistration): void {
  const isNew = app.changed.includes('application');
  const text = isNew ? madeNow(app) : `App ${app.appId}${made.adopted === true ? ' adopted' : ''}${changesIn(app)}`;
  deps.report.progress('registration', 'done', text);
  if (isNew) deps.report.detail(`app ${app.appId}`);
  deps.report.detail(`${graph.calls} calls to Microsoft Graph`);
  if (app.secret?.isUnsure === true) {
    const name = `mailauth ${made.setupId}`;
    deps.report.note(
      `Microsoft's list does not show the new client secret yet, so that one whose value was lost may still work: of those called "${name}" only ${app.secret.keyId} is needed (Certificates & secrets).`,
    );
  }
  if (app.surprising.length > 0) deps.report.note(`Exchange Online publishes other ids than documented for: ${app.surprising.join(', ')}`);
}

const madeWords = {
  application: 'application',
  'service-principal': 'service principal',
  grant: 'consent',
  'app-role': 'roles on Exchange Online',
  secret: 'client secret',
  'application-changed': '',
  'orphan-secret': '',
} as const;

/** What a person wants to know of an app that was made now. */
function madeNow({ changed }: RegisteredApp): string {
  const consent = changed.some((change) => change === 'grant' || change === 'app-role') ? ', consent granted' : '';
  const secret = changed.includes('secret') ? ', client secret made' : '';
  return `App registered${consent}${secret}`;
}

function changesIn({ changed }: RegisteredApp): string {
  const words = changed.map((change) => madeWords[change]).filter((word) => word !== '');
  const said = [
    ...(changed.includes('application-changed') ? ['settings changed'] : []),
    ...(words.length === 0 ? [] : [`${words.join(', ')} made`]),
  ];
  return said.length === 0 ? ': it is as planned, nothing changed' : `: ${said.join('; ')}`;
}
