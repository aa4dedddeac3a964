import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { thumbprintsOf } from '../core/hashes.ts';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Graph } from './graph.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { applicationBody, type GraphApplicationBody, type permissionIds, type ResourceAccess } from './manifest.ts';
import { fewTries, type UntilReplicated } from './replication.ts';

const texts = z.catch(z.array(z.string()), []);
const flag = z.catch(z.boolean(), false);

const credential = z.object({
  keyId: z.string(),
  displayName: z.catch(z.nullish(z.string()), undefined),
  endDateTime: z.catch(z.nullish(z.string()), undefined),
});
export type StoredCredential = z.infer<typeof credential>;

const keyed = z.object({
  keyCredentials: z.catch(
    z.array(
      z.looseObject({
        key: z.catch(z.nullish(z.string()), undefined),
        customKeyIdentifier: z.catch(z.nullish(z.string()), undefined),
      }),
    ),
    [],
  ),
});

const schema = z.object({
  ...keyed.shape,
  id: z.string().check(z.minLength(1)),
  appId: z.string().check(z.minLength(1)),
  displayName: z.catch(z.string(), ''),
  signInAudience: z.catch(z.string(), ''),
  isFallbackPublicClient: flag,
  publicClient: z.catch(z.object({ redirectUris: texts }), { redirectUris: [] }),
  web: z.catch(
    z.object({
      redirectUris: texts,
      implicitGrantSettings: z.catch(z.object({ enableAccessTokenIssuance: flag, enableIdTokenIssuance: flag }), {
        enableAccessTokenIssuance: false,
        enableIdTokenIssuance: false,
      }),
    }),
    { redirectUris: [], implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false } },
  ),
  requiredResourceAccess: z.catch(
    z.array(z.object({ resourceAppId: z.string(), resourceAccess: z.array(z.object({ id: z.string(), type: z.string() })) })),
    [],
  ),
  tags: texts,
  serviceManagementReference: z.catch(z.nullish(z.string()), undefined),
  /** null, `NotDisabled`, or why Microsoft disabled it */
  disabledByMicrosoftStatus: z.catch(z.nullish(z.string()), undefined),
  api: z.catch(z.object({ requestedAccessTokenVersion: z.catch(z.nullable(z.number()), null) }), { requestedAccessTokenVersion: null }),
  passwordCredentials: z.catch(z.array(credential), []),
});

/** An application as Graph shows it. Texts are as they came: `plain()` them before showing. */
export type ExistingApplication = z.infer<typeof schema>;

/** `$select` for everything that `readApplication` reads. */
export const applicationFields =
  'id,appId,displayName,signInAudience,isFallbackPublicClient,publicClient,web,requiredResourceAccess,tags,serviceManagementReference,disabledByMicrosoftStatus,api,passwordCredentials,keyCredentials';

/** undefined: the body is not an application. */
export function readApplication(body: unknown): ExistingApplication | undefined {
  const read = schema.safeParse(body);
  return read.success ? read.data : undefined;
}

/**
 * Reads an application that should exist. A 404 has two reasons. A replica does not have the application yet: it is asked again, 14 s at
 * most. Or somebody deleted it: then it is among the tenant's deleted items for 30 days, and waiting would not help
 * (learn.microsoft.com/graph/api/directory-deleteditems-get).
 */
export async function getRecordedApplication(
  graph: Graph,
  untilReplicated: UntilReplicated,
  appObjectId: string,
  fields: string = applicationFields,
): Promise<GraphAnswer> {
  const path = `/applications/${encodeURIComponent(appObjectId)}?$select=${fields}`;
  const answer = await graph.get(path);
  if (answer.kind === 'ok' || answer.status !== 404) return answer;
  const deleted = await graph.get(`/directory/deletedItems/${encodeURIComponent(appObjectId)}?$select=id`);
  return deleted.kind === 'ok' ? answer : untilReplicated(() => graph.get(path), fewTries);
}

type ApplicationPatch = {
  -readonly [K in keyof GraphApplicationBody]?: K extends 'web'
    ? Partial<GraphApplicationBody['web']>
    : K extends 'keyCredentials'
      ? readonly object[]
      : GraphApplicationBody[K];
};

/**
 * What must be changed for an application to be as planned: the smallest body for `PATCH /applications/{id}`, or undefined. What others
 * added (redirect URIs, permissions, tags) stays, except a planned redirect URI under the wrong platform: Entra allows each only once.
 */
export function differences(
  existing: ExistingApplication,
  plan: RegistrationPlan,
  exchangeIds?: (typeof permissionIds)['exchange'],
  roleIds?: Readonly<Record<string, string>>,
): ApplicationPatch | undefined {
  const planned = applicationBody(plan, exchangeIds, roleIds);
  const wanted = plan.isShared === true ? besides(existing, planned) : planned;
  const patch: ApplicationPatch = {};
  if (existing.displayName !== wanted.displayName) patch.displayName = wanted.displayName;
  if (existing.signInAudience !== wanted.signInAudience) patch.signInAudience = wanted.signInAudience;
  if (existing.isFallbackPublicClient !== wanted.isFallbackPublicClient) patch.isFallbackPublicClient = wanted.isFallbackPublicClient;
  const native = redirects(existing.publicClient.redirectUris, wanted.publicClient.redirectUris, wanted.web.redirectUris);
  if (native !== undefined) patch.publicClient = { redirectUris: native };
  const web = webChanges(existing, wanted);
  if (web !== undefined) patch.web = web;
  const access = permissions(existing.requiredResourceAccess, wanted.requiredResourceAccess);
  if (access !== undefined) patch.requiredResourceAccess = access;
  const { serviceManagementReference: reference } = wanted;
  if (reference !== undefined && existing.serviceManagementReference !== reference) patch.serviceManagementReference = reference;
  const tags = wanted.tags.filter((tag) => !existing.tags.includes(tag));
  if (tags.length > 0) patch.tags = [...existing.tags, ...tags];
  // What is there goes along as it came: a PATCH replaces the whole collection (learn.microsoft.com/graph/api/application-update).
  const certificates = (wanted.keyCredentials ?? []).filter(
    (one) => !existing.keyCredentials.some((there) => isCertificate(there, one.key)),
  );
  if (certificates.length > 0) patch.keyCredentials = [...existing.keyCredentials, ...certificates];
  if (wanted.api !== undefined && existing.api.requestedAccessTokenVersion !== wanted.api.requestedAccessTokenVersion)
    patch.api = wanted.api;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** What other mailboxes need of the application stays as it is beside what this one needs. */
function besides(existing: ExistingApplication, planned: GraphApplicationBody): GraphApplicationBody {
  const has = existing.web.implicitGrantSettings;
  const { implicitGrantSettings: wants } = planned.web;
  return {
    ...planned,
    displayName: existing.displayName,
    isFallbackPublicClient: existing.isFallbackPublicClient || planned.isFallbackPublicClient,
    web: {
      ...planned.web,
      implicitGrantSettings: {
        enableAccessTokenIssuance: has.enableAccessTokenIssuance || wants.enableAccessTokenIssuance,
        enableIdTokenIssuance: has.enableIdTokenIssuance || wants.enableIdTokenIssuance,
      },
    },
  };
}

/**
 * Is this the certificate with that DER, base64? Graph leaves `key` null in lists and in the answer to POST. `customKeyIdentifier` is then the
 * SHA-1 of the certificate in hex, unless the one who uploaded it chose another (docs/microsoft.md, "Registration through Microsoft Graph").
 */
function isCertificate({ key, customKeyIdentifier }: ExistingApplication['keyCredentials'][number], der: string): boolean {
  if (key) return key === der;
  return customKeyIdentifier?.toUpperCase() === thumbprintsOf(Buffer.from(der, 'base64')).sha1;
}

/**
 * The application with the keys of its certificates, where only they tell whether the planned certificate is among them: Graph shows them when
 * `$select` asks for nothing else of one application. Otherwise, and where that is refused, the application as it is.
 */
export async function withKeys(graph: Graph, app: ExistingApplication, plan: RegistrationPlan): Promise<ExistingApplication> {
  const { certificate } = plan;
  if (certificate === undefined || !app.keyCredentials.some(({ key }) => !key)) return app;
  if (app.keyCredentials.some((one) => isCertificate(one, certificate.der))) return app;
  const answer = await graph.get(`/applications/${encodeURIComponent(app.id)}?$select=keyCredentials`);
  const read = answer.kind === 'ok' ? keyed.safeParse(answer.body) : undefined;
  return read?.success === true ? { ...app, keyCredentials: read.data.keyCredentials } : app;
}

const deactivated = z.object({ isDisabled: z.literal(true) });

/**
 * Who has switched this application off; undefined: nobody, as far as it can be read. `isDisabled` is asked for alone: a Graph that does not
 * know the property, which is of 2026, refuses the whole request.
 */
export async function switchedOffBy(graph: Graph, app: ExistingApplication): Promise<'owner' | 'Microsoft' | undefined> {
  if (/^Disabled/.test(app.disabledByMicrosoftStatus ?? '')) return 'Microsoft';
  const answer = await graph.get(`/applications/${encodeURIComponent(app.id)}?$select=id,appId,isDisabled`);
  return answer.kind === 'ok' && deactivated.safeParse(answer.body).success ? 'owner' : undefined;
}

/** Entra ignores the port of localhost, so that two platforms with one path would leave the client type to chance (learn.microsoft.com, reply-url). */
function isOneRedirect(a: string, b: string): boolean {
  const withoutPort = (uri: string) => uri.replace(/^(http:\/\/localhost):\d+/, '$1').replace(/\/$/, '');
  return withoutPort(a) === withoutPort(b);
}

/** A PATCH replaces a whole collection, so the others' entries are sent along. */
function redirects(has: readonly string[], wanted: readonly string[], elsewhere: readonly string[]): readonly string[] | undefined {
  const kept = has.filter((uri) => !elsewhere.some((other) => isOneRedirect(uri, other)));
  const missing = wanted.filter((uri) => !kept.includes(uri));
  return missing.length === 0 && kept.length === has.length ? undefined : [...kept, ...missing];
}

function webChanges(existing: ExistingApplication, wanted: GraphApplicationBody): ApplicationPatch['web'] {
  const redirectUris = redirects(existing.web.redirectUris, wanted.web.redirectUris, wanted.publicClient.redirectUris);
  const { implicitGrantSettings } = wanted.web;
  const has = existing.web.implicitGrantSettings;
  const same =
    has.enableAccessTokenIssuance === implicitGrantSettings.enableAccessTokenIssuance &&
    has.enableIdTokenIssuance === implicitGrantSettings.enableIdTokenIssuance;
  if (redirectUris === undefined && same) return undefined;
  return { ...defined({ redirectUris }), ...(same ? {} : { implicitGrantSettings }) };
}

function permissions(has: readonly ResourceAccess[], wanted: readonly ResourceAccess[]): readonly ResourceAccess[] | undefined {
  const merged = new Map(has.map((one) => [one.resourceAppId, one.resourceAccess]));
  let changed = false;
  for (const { resourceAppId, resourceAccess } of wanted) {
    const present = merged.get(resourceAppId) ?? [];
    const missing = resourceAccess.filter((one) => !present.some((other) => other.id === one.id));
    if (missing.length === 0) continue;
    merged.set(resourceAppId, [...present, ...missing]);
    changed = true;
  }
  return changed ? [...merged].map(([resourceAppId, resourceAccess]) => ({ resourceAppId, resourceAccess })) : undefined;
}
