import { fold } from '../core/fold.ts';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Secret } from '../core/secret.ts';
import { setupCommand } from '../diagnose/catalogue/entra-words.ts';
import type { GraphCommands } from '../diagnose/catalogue/graph.ts';
import { problem } from '../diagnose/problem.ts';
import { type Adoptable, findAdoptable } from '../entra/adoptable.ts';
import { differences } from '../entra/application.ts';
import type { Graph } from '../entra/graph.ts';
import { addProofRedirect, removeProofRedirect } from '../entra/proof-redirect.ts';
import { type RegisteredApp, type RegistrationProgress, registerApp } from '../entra/registration.ts';
import { guideNamed } from '../guides/guides.ts';
import { planRegistration } from '../guides/plan.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { actsAs, adminGraph, waitWords } from './admin.ts';
import { type Answers, isLoopback } from './answers.ts';
import { pendingSecretEntry } from './client-secret.ts';
import type { JournaledRegistration } from './journal.ts';
import { freeProofRedirect, type Proof } from './proof-step.ts';
import type { RegistrationStep, Way } from './registration.ts';

/**
 * `--register auto`: says what will be created and as which Microsoft app, asks, signs an administrator in, and makes the tenant as
 * planned. Every step is journaled; run again it completes what is there and changes only what differs.
 */
export async function throughGraph(answers: Answers, step: RegistrationStep): Promise<Way> {
  const { deps, tenant, cloud } = step;
  const guide = guideNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  let noted: JournaledRegistration = step.registration ?? { setupId: deps.ctx.random.uuid(), grantIds: [] };
  const plan = planRegistration(guide, answers, noted.setupId);
  await agree(plan, step);
  await step.note(noted);
  const commands = commandsOf(answers, step);
  const graph = await adminGraph(deps, tenant, cloud, commands.resume, answers.signIn === 'paste' ? 'paste' : 'browser');
  deps.report.progress('registration', 'started', 'Registering the app');
  const update = async ({ proofRedirect, ...more }: Update): Promise<void> => {
    const { proofRedirect: before, ...rest } = noted;
    const proof = proofRedirect === null ? undefined : (proofRedirect ?? before);
    noted = { ...rest, ...more, ...(proof === undefined ? {} : { proofRedirect: proof }) };
    await step.note(noted);
  };
  if (noted.creating !== true && noted.appObjectId === undefined) {
    const adopted = await adopt(graph, plan, commands, step);
    if (adopted !== undefined) await update({ appObjectId: adopted.appObjectId, appId: adopted.appId, adopted: true });
  }
  const app = await registerApp(
    {
      graph,
      commands,
      clock: deps.ctx.clock,
      signal: deps.ctx.signal,
      onWait: (reason, ms) => deps.report.progress('registration', 'waiting', waitWords(reason, ms)),
      keepSecret: async (secret, { keyId, endDateTime }) => {
        await step.store.write(pendingSecretEntry(step.key), secret);
        await update({ secretKeyId: keyId, secretExpiresAt: endDateTime });
      },
    },
    plan,
    {
      ...known(noted),
      keyIds: await heldKeyIds(noted, step),
      keepKeyIds: noted.oldSecretKeyId === undefined ? [] : [noted.oldSecretKeyId],
    },
    (progress) => update(afterwards(progress, noted)),
  );
  report(app, graph, step);
  const clientSecret = await heldSecret(step);
  const proof = await makeProof(answers, { graph, commands, step, appObjectId: app.appObjectId, noted: () => noted, update });
  return {
    ...(proof === undefined ? {} : { proof }),
    clientId: app.appId,
    fresh: app.changed.length > 0,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(app.secret === undefined ? {} : { secretKeyId: app.secret.keyId }),
    ...(noted.oldSecretKeyId === undefined ? {} : { oldSecretKeyId: noted.oldSecretKeyId }),
    ...(noted.secretExpiresAt === undefined ? {} : { secretExpiresAt: noted.secretExpiresAt }),
    made: {
      tag: plan.tag,
      applicationObjectId: app.appObjectId,
      grantIds: Object.values(app.grantIds),
      ...(app.spObjectId === undefined ? {} : { servicePrincipalId: app.spObjectId }),
    },
    madeByMailauth: noted.adopted !== true,
  };
}

/** `null` takes the note away. */
type Update = Omit<Partial<JournaledRegistration>, 'proofRedirect'> & { readonly proofRedirect?: string | null };

/** The product catches the redirect itself, and somebody shall sign in here first. */
export const wantsProof = ({ signIn, redirectUri, clientType }: Pick<Answers, 'signIn' | 'redirectUri' | 'clientType'>): boolean =>
  (signIn === 'browser' || signIn === 'paste') && clientType === 'confidential' && !isLoopback(redirectUri);

interface ProofParts {
  readonly graph: Graph;
  readonly commands: GraphCommands;
  readonly step: RegistrationStep;
  readonly appObjectId: string;
  noted(): JournaledRegistration;
  update(more: Update): Promise<void>;
}

/** One redirect to this computer, noted before it is added, so that a crash cannot leave it: an earlier one is taken away first. */
async function makeProof(answers: Answers, parts: ProofParts): Promise<Proof | undefined> {
  const { graph, commands, step, appObjectId, noted, update } = parts;
  const { ctx } = step.deps;
  const deps = { graph, commands, clock: ctx.clock, signal: ctx.signal };
  const remove = async () => {
    const { proofRedirect } = noted();
    if (proofRedirect === undefined) return;
    await removeProofRedirect(deps, appObjectId, proofRedirect);
    await update({ proofRedirect: null });
  };
  await remove();
  if (!wantsProof(answers)) return undefined;
  const redirectUri = await freeProofRedirect(step.deps);
  await update({ proofRedirect: redirectUri });
  await addProofRedirect(deps, appObjectId, redirectUri);
  step.deps.report.progress('registration', 'done', `Redirect ${redirectUri} added for the proof; it goes again afterwards`);
  return { redirectUri, remove };
}

const known = ({ creating, appObjectId, appId, spObjectId }: JournaledRegistration) => ({
  ...(creating === undefined ? {} : { creating }),
  ...(appObjectId === undefined ? {} : { appObjectId }),
  ...(appId === undefined ? {} : { appId }),
  ...(spObjectId === undefined ? {} : { spObjectId }),
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

/** A secret whose value the store lost is of no use: it is made anew, and the lost one goes. */
async function heldKeyIds(noted: JournaledRegistration, step: RegistrationStep): Promise<readonly string[]> {
  return noted.secretKeyId !== undefined && (await heldSecret(step)) !== undefined ? [noted.secretKeyId] : [];
}

async function heldSecret({ store, key }: RegistrationStep): Promise<Secret | undefined> {
  return (await store.read(pendingSecretEntry(key))) ?? (await store.read(clientSecretEntry(key)));
}

function commandsOf(answers: Answers, { cloud }: RegistrationStep): GraphCommands {
  return {
    resume: setupCommand(
      { mailbox: answers.mailbox, cloud },
      answers.for === 'this-computer' ? '--resume' : `--for ${answers.for} --resume`,
    ),
    undo: `mailauth logout ${answers.mailbox} --for ${answers.for} --delete-app`,
  };
}

/** What will change in the tenant, before it does; the default of the question is No. */
async function agree(plan: RegistrationPlan, { deps, tenant, key }: RegistrationStep): Promise<void> {
  const { ctx, report, canAsk, agreed } = deps;
  const lines = [
    `an application "${plan.displayName}" with its service principal`,
    ...(plan.redirectUris.length === 0 ? [] : [`its redirect URI ${plan.redirectUris.join(', ')}`]),
    `the delegated permissions ${plan.graphPermissions.join(', ')}`,
    ...(plan.consent === 'admin' ? ['consent to them for the whole organization'] : []),
    ...(plan.secretMonths === undefined ? [] : [`a client secret for ${plan.secretMonths} months, kept in the secret store`]),
  ];
  const columns = ctx.err.isTerminal ? ctx.err.columns : Number.POSITIVE_INFINITY;
  report.show(
    [
      `  ${fold(`This creates in the tenant ${tenant.id}:`, columns, 2)}`,
      ...lines.map((line) => `    - ${fold(line, columns, 6)}`),
      '',
      `  ${fold(actsAs, columns, 2)}`,
      '',
      '',
    ].join('\n'),
  );
  if (agreed) return;
  if (!canAsk)
    throw problem('needs-yes', { what: 'Changing the tenant', command: `mailauth setup --mailbox ${key.mailbox} --for ${key.for} --yes` });
  if (!(await ctx.prompts.confirm({ message: 'Create it?', default: false }))) throw problem('setup-declined', {});
}

/** An app of the same name from elsewhere is never taken silently: anybody in a tenant may register one and plant a name. */
async function adopt(
  graph: Graph,
  plan: RegistrationPlan,
  commands: GraphCommands,
  step: RegistrationStep,
): Promise<Adoptable | undefined> {
  const { ctx, report, canAsk } = step.deps;
  const found = await findAdoptable({ graph, commands }, { displayName: plan.displayName, tag: plan.tag });
  const [first] = found;
  if (first === undefined) return undefined;
  report.show(`\n  There is an app of this name already:\n${found.map(describe).join('\n')}\n`);
  if (canAsk) {
    const choices = [
      { value: 'new', name: 'Make a new one beside it' },
      ...found.map((app) => ({
        value: app.appId,
        name: `Use ${app.appId}`,
        description: 'it is changed to what is needed, and never deleted by mailauth',
      })),
    ];
    const chosen = await ctx.prompts.select({ message: 'What shall be done?', choices, default: 'new' });
    return found.find((app) => app.appId === chosen);
  }
  const exact =
    found.length === 1 &&
    first.ownedBySignedIn &&
    differences(first.application, { ...plan, tag: first.application.tags[0] ?? plan.tag }) === undefined;
  if (exact) return first;
  throw problem('app-exists', {
    name: plan.displayName,
    appIds: found.map((app) => app.appId),
    mailbox: step.key.mailbox,
    for: step.key.for,
  });
}

function describe(app: Adoptable): string {
  return [
    `    ${app.appId}  "${app.displayName}"`,
    `      owner          ${app.owners.length === 0 ? 'nobody, or it cannot be read' : app.owners.map((o) => o.shown).join(', ')}`,
    `      redirect URIs  ${app.redirectUris.length === 0 ? 'none' : app.redirectUris.join(', ')}`,
    `      credentials    ${app.credentialCount}`,
  ].join('\n');
}

function report(app: RegisteredApp, graph: Graph, { deps }: RegistrationStep): void {
  const words = {
    application: 'application',
    'service-principal': 'service principal',
    grant: 'consent',
    secret: 'client secret',
    'orphan-secret': '',
  };
  const changed = app.changed.map((change) => words[change]).filter((word) => word !== '');
  deps.report.progress(
    'registration',
    'done',
    changed.length === 0 ? `App ${app.appId} is as planned, nothing changed` : `App ${app.appId}: ${changed.join(', ')} made`,
  );
  deps.report.detail(`${graph.calls} calls to Microsoft Graph`);
  if (app.surprising.length > 0) deps.report.note(`Exchange Online publishes other ids than documented for: ${app.surprising.join(', ')}`);
}
