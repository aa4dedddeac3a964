import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { registrationOf } from '../tenant/app-objects.ts';
import { sha256 } from '../tenant/state.ts';
import type { App, StoredSecret } from '../tenant/state-schema.ts';
import { hasPersonalAccounts } from './graph-application-body.ts';
import { badRequest, type GraphAnswer, type GraphCall, graphError, noContent } from './graph-call.ts';
import { secretView } from './graph-view.ts';

/** The longest life of a secret under the fault `secret-lifetime-policy`. */
export const longestSecretDays = 180;
const dayMs = 86_400_000;
/** Uses of a new secret that are still refused under the fault `secret-not-replicated`. */
const refusalsWhenNew = 2;

const time = z.optional(z.nullable(z.iso.datetime({ offset: true })));
const addSchema = z.object({
  passwordCredential: z.optional(
    z.nullable(z.object({ displayName: z.optional(z.nullable(z.string())), startDateTime: time, endDateTime: time })),
  ),
});
const removeSchema = z.object({ keyId: z.string() });

/**
 * `POST /applications/{id}/addPassword` (learn.microsoft.com/graph/api/application-addpassword): only this answer
 * holds `secretText`. A secret without a given end is valid for two years.
 */
export function addPassword(call: GraphCall, app: App): GraphAnswer {
  const read = addSchema.safeParse(call.body ?? {});
  if (!read.success)
    return badRequest(`Invalid value specified for property '${read.error.issues[0]?.path.join('.') ?? 'passwordCredential'}'.`);
  const wanted = read.data.passwordCredential;
  const startsAt = wanted?.startDateTime ? Date.parse(wanted.startDateTime) : call.now;
  const expiresAt = wanted?.endDateTime ? Date.parse(wanted.endDateTime) : twoYearsAfter(startsAt);
  const refused = refuse(call, app, startsAt, expiresAt);
  if (refused !== undefined) return refused;
  // Entra's secrets have 40 characters, with `8Q~` after the third.
  const random = call.bytes(40).toString('base64url');
  const secretText = `${random.slice(0, 3)}8Q~${random.slice(3, 37)}`;
  const secret = {
    id: call.uuid(),
    sha256: sha256(secretText),
    expiresAt,
    startsAt,
    name: wanted?.displayName ?? null,
    hint: secretText.slice(0, 3),
    ...defined({ refusals: call.fault === 'secret-not-replicated' ? refusalsWhenNew : undefined }),
  };
  app.secrets.push(secret);
  const context = 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.passwordCredential';
  return { status: 200, body: { '@odata.context': context, ...secretView(secret), secretText } };
}

/** `POST /applications/{id}/removePassword`. */
export function removePassword(call: GraphCall, app: App): GraphAnswer {
  const read = removeSchema.safeParse(call.body);
  if (!read.success) return badRequest("A value is required for property 'keyId'.");
  const { keyId } = read.data;
  const found = app.secrets.find((one) => one.id === keyId.toLowerCase());
  if (found === undefined || isTooNew(found, call)) return badRequest(`No password credential found with keyId '${keyId}'.`);
  app.secrets = app.secrets.filter((one) => one.id !== keyId.toLowerCase());
  return noContent;
}

const lagMs = 20_000;

/** Under the fault `graph-reads-lag`, reads and removals do not know what was written a moment ago (recorded: Azure/azure-cli). */
export const isTooNew = ({ startsAt = 0 }: StoredSecret, { fault, now }: Pick<GraphCall, 'fault' | 'now'>): boolean =>
  fault === 'graph-reads-lag' && now < startsAt + lagMs;

function refuse(call: GraphCall, app: App, startsAt: number, expiresAt: number): GraphAnswer | undefined {
  if (call.fault === 'secrets-forbidden') {
    const message = 'Credential type not allowed as per assigned policy. Ask an administrator, or use a public client or a certificate.';
    return graphError(400, 'CredentialTypeNotAllowedAsPerAppPolicy', message);
  }
  if (call.fault === 'secret-lifetime-policy' && expiresAt - startsAt > longestSecretDays * dayMs) {
    const message = `Credential lifetime exceeds the max value allowed as per assigned policy: ${longestSecretDays} days.`;
    return graphError(400, 'CredentialInvalidLifetimeAsPerAppPolicy', message);
  }
  if (expiresAt <= startsAt || expiresAt <= call.now) return badRequest('Password credential end date is invalid.');
  // learn.microsoft.com, supported-accounts-validation
  if (hasPersonalAccounts(registrationOf(app).audience) && app.secrets.length >= 2) {
    return badRequest('An application with personal accounts in its audience may have at most two password credentials.');
  }
  return undefined;
}

function twoYearsAfter(ms: number): number {
  const end = new Date(ms);
  return end.setUTCFullYear(end.getUTCFullYear() + 2);
}
