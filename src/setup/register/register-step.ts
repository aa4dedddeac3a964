import { defined } from '../../core/defined.ts';
import type { Registration } from '../../core/mailbox.ts';
import { proveSecret } from '../../entra/client-check.ts';
import { type ClientCertificate, credentialOf } from '../../oauth/client-certificate.ts';
import { appAt } from '../../oauth/oauth-app.ts';
import { pendingSecretEntry } from '../../store/token-entry.ts';
import type { Answers } from '../answers/answers.ts';
import { missingClientId } from '../answers/missing.ts';
import { isShared } from '../answers/question.ts';
import type { Registered } from '../sign-in/registered-setup.ts';
import { throughGraph } from './auto.ts';
import { obtainSecret } from './client-secret.ts';
import { throughPortal } from './portal-walk.ts';
import type { RegistrationResult, RegistrationStep } from './registration-step.ts';

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
    const place = { cloud: step.cloud, tenantId: step.tenant.id, endpoints: step.tenant.endpoints, registration: way };
    const app = {
      ...(await appAt(place, step.deps)),
      mailbox: step.key.mailbox,
      ...(way.clientSecret && credentialOf(way.clientSecret)),
    };
    const verdict = await proveSecret(app, (text) => report.progress('registration', 'waiting', text), way.fresh === true);
    const credential = step.certificate === undefined ? 'client secret' : 'certificate';
    const proof = verdict.kind === 'ok' ? `, its ${credential} works` : `, its ${credential} is stored`;
    const secret = way.clientSecret === undefined ? '' : proof;
    if (verdict.kind === 'ok' && way.made !== undefined) report.progress('registration', 'done', `The ${credential} works`);
    else if (verdict.kind === 'ok') report.progress('registration', 'done', `App ${way.clientId} is known to the tenant${secret}`);
    // An app that mailauth has just made needs no line that it is not checked yet.
    else if (way.made === undefined) report.progress('registration', 'done', `Using app ${way.clientId}${secret}`);
  } catch (error) {
    // A pasted secret that Microsoft refuses is not kept for the next run.
    if (way.clientSecret !== undefined && way.made === undefined) await step.store.remove(pendingSecretEntry(step.key));
    throw error;
  }
  return {
    // The ID of an app that mailauth registers is no answer of the operator: a run that goes on another way would take it for one.
    answers: answers.register === 'auto' ? (way.answers ?? answers) : { ...answers, clientId: way.clientId },
    registration: registrationOf(answers, way, step.certificate),
    ...defined({ clientSecret: way.clientSecret, proof: way.proof, graph: way.graph }),
  };
}

const registrationOf = (answers: Answers, way: RegistrationResult, certificate: ClientCertificate | undefined): Registration => ({
  clientId: way.clientId.toLowerCase(),
  clientType: answers.clientType,
  redirectUri: answers.redirectUri ?? '',
  madeByMailauth: way.madeByMailauth === true,
  ...defined({ secretExpiresAt: way.secretExpiresAt }),
  ...(certificate === undefined ? {} : { secretExpiresAt: certificate.expiresAt, certificateThumbprint: certificate.thumbprint }),
  ...defined({ secretKeyId: way.secretKeyId, oldSecretKeyId: way.oldSecretKeyId }),
  ...(way.made && defined({ made: way.made, ...answersKept(way.answers ?? answers) })),
  ...defined({ publicClientFlows: way.publicClientFlows }),
  ...(isShared(answers) ? { shared: true as const } : {}),
});

/** The answers that the mailbox file keeps of an app that mailauth registered. */
const answersKept = ({ name, audience, variant, serviceManagementReference }: Answers) =>
  defined({ name, audience, variant, serviceManagementReference });

async function existing(answers: Answers, step: RegistrationStep): Promise<RegistrationResult> {
  if (answers.clientId === undefined) throw missingClientId(answers);
  if (answers.clientType === 'public') return { clientId: answers.clientId };
  return { clientId: answers.clientId, clientSecret: await obtainSecret(answers.clientId, step) };
}
