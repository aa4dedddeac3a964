import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { isGuid } from '../../core/text.ts';
import { resourceApps } from '../tenant/microsoft-resources.ts';
import { redirectProblem } from '../tenant/redirects.ts';
import { type App, audiences, type Registration, type StoredCertificate } from '../tenant/state-schema.ts';
import { badRequest, type GraphAnswer } from './graph-call.ts';

const strings = z.optional(z.array(z.string()));
const maybeText = z.optional(z.nullable(z.string()));
const maybeFlag = z.optional(z.nullable(z.boolean()));
const guid = z.string().check(z.refine(isGuid));

/** A PATCH replaces the collection. A key that the app has already is given by its keyId, with or without its value; without a keyId it is stored again. */
const keyCredential = z.looseObject({
  keyId: z.optional(z.nullable(z.string())),
  key: z.optional(z.nullable(z.string())),
  type: z.literal('AsymmetricX509Cert'),
  usage: z.literal('Verify'),
  displayName: maybeText,
  customKeyIdentifier: maybeText,
});

/** Writable properties of an application (learn.microsoft.com/graph/api/resources/application); any other one is an error. */
const schema = z.strictObject({
  displayName: z.optional(z.string()),
  signInAudience: z.optional(z.enum(audiences)),
  isFallbackPublicClient: maybeFlag,
  publicClient: z.optional(z.strictObject({ redirectUris: strings })),
  spa: z.optional(z.strictObject({ redirectUris: strings })),
  web: z.optional(
    z.strictObject({
      redirectUris: strings,
      homePageUrl: maybeText,
      logoutUrl: maybeText,
      implicitGrantSettings: z.optional(z.strictObject({ enableAccessTokenIssuance: maybeFlag, enableIdTokenIssuance: maybeFlag })),
      redirectUriSettings: z.optional(z.unknown()),
    }),
  ),
  api: z.optional(z.looseObject({ requestedAccessTokenVersion: z.optional(z.nullable(z.number())) })),
  requiredResourceAccess: z.optional(
    z.array(
      z.strictObject({ resourceAppId: guid, resourceAccess: z.array(z.strictObject({ id: guid, type: z.enum(['Scope', 'Role']) })) }),
    ),
  ),
  tags: z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(256)))),
  passwordCredentials: z.optional(z.array(z.unknown())),
  keyCredentials: z.optional(z.array(keyCredential)),
  appRoles: z.optional(z.array(z.unknown())),
  identifierUris: strings,
  description: maybeText,
  groupMembershipClaims: maybeText,
  info: z.optional(z.nullable(z.unknown())),
  notes: maybeText,
  optionalClaims: z.optional(z.nullable(z.unknown())),
  serviceManagementReference: maybeText,
  isDisabled: maybeFlag,
});

type Body = z.infer<typeof schema>;

/** What the body changes in an app: sub-objects are merged, collections replaced, as Graph's PATCH does. */
export type Edit = Pick<App, 'name' | 'publicRedirects' | 'webRedirects' | 'certificates'> &
  Pick<Registration, 'audience' | 'publicFallback' | 'tags' | 'spaRedirects' | 'implicit' | 'permissions' | 'tokenVersion' | 'others'>;

/**
 * Reads a body for `POST` (from the blank app) or `PATCH` (from the present one) and judges the result as Graph does.
 * @returns the app's new values, or Graph's refusal
 */
export function readApplicationBody(body: unknown, before: Edit | undefined): Edit | GraphAnswer {
  const read = schema.safeParse(body);
  if (!read.success) return badRequest(explain(read.error.issues));
  const { data } = read;
  if ((data.passwordCredentials?.length ?? 0) > 0) return badRequest('New password credentials must be generated with service actions.');
  if ((data.displayName ?? before?.name ?? '').trim() === '') {
    return badRequest("A value is required for property 'displayName' of resource 'Application'.");
  }
  const certificates = readCertificates(data.keyCredentials, before?.certificates ?? []);
  if (typeof certificates === 'string') return badRequest(certificates);
  const edit = { ...merge(data, before ?? blank(data)), certificates };
  const wrong = judge(edit);
  return wrong === undefined ? edit : badRequest(wrong);
}

/** The certificates that the app has after this body, or Graph's complaint about one that it cannot read. */
function readCertificates(
  given: z.infer<typeof schema>['keyCredentials'],
  before: readonly StoredCertificate[],
): StoredCertificate[] | string {
  if (given === undefined) return [...before];
  const all: StoredCertificate[] = [];
  for (const { keyId, key, displayName, customKeyIdentifier } of given) {
    const present = before.find((one) => one.id === keyId);
    if (present !== undefined && key && key !== present.key) return `Update to existing credential with KeyId '${keyId}' is not allowed.`;
    const read = present ?? (key ? readCertificate(key, displayName ?? null, customKeyIdentifier ?? undefined) : undefined);
    if (read === undefined) return 'Key credential is invalid: the certificate cannot be read.';
    all.push(read);
  }
  return all;
}

function readCertificate(key: string, name: string | null, identifier: string | undefined): StoredCertificate | undefined {
  try {
    const certificate = new X509Certificate(Buffer.from(key, 'base64'));
    return {
      id: randomUUID(),
      key,
      thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
      name,
      ...defined({ identifier }),
      startsAt: Date.parse(certificate.validFrom),
      expiresAt: Date.parse(certificate.validTo),
    };
  } catch {
    return undefined;
  }
}

// An app without an audience gets the widest one, with the token version that it needs.
function blank(data: Body): Edit {
  return {
    name: '',
    publicRedirects: [],
    webRedirects: [],
    audience: 'AzureADandPersonalMicrosoftAccount',
    publicFallback: null,
    tags: [],
    spaRedirects: [],
    implicit: { accessToken: false, idToken: false },
    permissions: [],
    tokenVersion: data.signInAudience === undefined ? 2 : null,
    others: {},
  };
}

/** What the sandbox stores and gives back without looking at it. */
const keptAsGiven = [
  ...(['description', 'groupMembershipClaims', 'identifierUris', 'info', 'notes'] as const),
  ...(['optionalClaims', 'serviceManagementReference', 'appRoles', 'isDisabled'] as const),
];

function merge(data: Body, before: Edit): Edit {
  const implicit = data.web?.implicitGrantSettings;
  const given = keptAsGiven.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]] as const]));
  return {
    name: data.displayName ?? before.name,
    publicRedirects: data.publicClient?.redirectUris ?? before.publicRedirects,
    webRedirects: data.web?.redirectUris ?? before.webRedirects,
    audience: data.signInAudience ?? before.audience,
    publicFallback: data.isFallbackPublicClient === undefined ? before.publicFallback : data.isFallbackPublicClient,
    tags: data.tags ?? before.tags,
    spaRedirects: data.spa?.redirectUris ?? before.spaRedirects,
    implicit: {
      accessToken: implicit?.enableAccessTokenIssuance ?? before.implicit.accessToken,
      idToken: implicit?.enableIdTokenIssuance ?? before.implicit.idToken,
    },
    permissions: data.requiredResourceAccess ?? before.permissions,
    tokenVersion: data.api?.requestedAccessTokenVersion === undefined ? before.tokenVersion : data.api.requestedAccessTokenVersion,
    others: { ...before.others, ...Object.fromEntries(given) },
  };
}

/** Limits: learn.microsoft.com, supported-accounts-validation and reply-url. */
function judge(edit: Edit): string | undefined {
  const personal = hasPersonalAccounts(edit.audience);
  const longest = personal ? 90 : 120;
  if (edit.name.length > longest) return `Property displayName is longer than ${longest} characters.`;
  if (personal && edit.tokenVersion !== 2) return 'Property api.requestedAccessTokenVersion is invalid.';
  if (![null, 1, 2].includes(edit.tokenVersion)) return 'Property api.requestedAccessTokenVersion is invalid.';
  return judgeRedirects(edit, personal) ?? judgePermissions(edit.permissions);
}

function judgeRedirects(edit: Edit, personal: boolean): string | undefined {
  const platforms = [
    ['publicClient', 'public', edit.publicRedirects],
    ['web', 'web', edit.webRedirects],
    ['spa', 'spa', edit.spaRedirects],
  ] as const;
  for (const [property, platform, uris] of platforms) {
    for (const [index, uri] of uris.entries()) {
      const wrong = redirectProblem(uri, platform, personal);
      if (wrong !== undefined) return `The value '${uri}' of property ${property}.redirectUris[${index}] ${wrong}.`;
    }
  }
  const all = platforms.flatMap(([, , uris]) => uris);
  if (new Set(all).size < all.length) return 'Redirect URIs must have distinct values.';
  const most = personal ? 100 : 256;
  return all.length > most ? `An application may have at most ${most} redirect URIs.` : undefined;
}

// Entra accepts an unknown id and fails at consent. The sandbox is stricter, because mailauth never means one.
function judgePermissions(permissions: Edit['permissions']): string | undefined {
  if (new Set(permissions.map((one) => one.resourceAppId.toLowerCase())).size < permissions.length) {
    return "Property requiredResourceAccess names the same resource twice: 'resourceAppId' must be distinct.";
  }
  for (const { resourceAppId, resourceAccess } of permissions) {
    const resource = resourceApps.find((one) => one.appId === resourceAppId.toLowerCase());
    if (resource === undefined) return `Property requiredResourceAccess names an unknown resource: '${resourceAppId}'.`;
    for (const { id, type } of resourceAccess) {
      const known = (type === 'Scope' ? resource.scopes : resource.roles).some((one) => one.id === id.toLowerCase());
      if (!known)
        return `Property requiredResourceAccess names a permission that ${resource.displayName} does not have: '${id}' (${type}).`;
    }
  }
  return undefined;
}

export function hasPersonalAccounts(audience: Registration['audience']): boolean {
  return audience === 'AzureADandPersonalMicrosoftAccount' || audience === 'PersonalMicrosoftAccount';
}

function explain(issues: readonly z.core.$ZodIssue[]): string {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') return `Invalid property '${[...issue.path, issue.keys[0] ?? ''].join('.')}'.`;
  const path = issue === undefined || issue.path.length === 0 ? undefined : issue.path.join('.');
  if (path === undefined) return 'A JSON object is expected in the body.';
  return `Invalid value specified for property '${path}' of resource 'Application'.`;
}
