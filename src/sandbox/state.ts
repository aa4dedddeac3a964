import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import type { Folder } from './folder.ts';
import { readyApps } from './graph/directory.ts';

export const audiences = ['AzureADMyOrg', 'AzureADMultipleOrgs', 'AzureADandPersonalMicrosoftAccount', 'PersonalMicrosoftAccount'] as const;

const secretSchema = z.object({
  id: z.string(),
  sha256: z.string(),
  /** milliseconds since the epoch, like every time in here */
  expiresAt: z.number(),
  startsAt: z.optional(z.number()),
  name: z.optional(z.nullable(z.string())),
  /** the first three characters */
  hint: z.optional(z.string()),
  /** how often it is still refused: a new secret that has not reached every server */
  refusals: z.optional(z.number()),
});

/** What Graph knows of an application besides its name, redirects and secrets. Apps without one get `registrationOf`'s. */
const registrationSchema = z.object({
  objectId: z.string(),
  createdAt: z.number(),
  /** address of who made it, or null: nobody */
  owner: z.nullable(z.string()),
  audience: z.enum(audiences),
  publicFallback: z.nullable(z.boolean()),
  tags: z.array(z.string()),
  spaRedirects: z.array(z.string()),
  implicit: z.object({ accessToken: z.boolean(), idToken: z.boolean() }),
  permissions: z.array(
    z.object({ resourceAppId: z.string(), resourceAccess: z.array(z.object({ id: z.string(), type: z.enum(['Scope', 'Role']) })) }),
  ),
  tokenVersion: z.nullable(z.number()),
  /** writable properties that change nothing here, given back as they came */
  others: z.record(z.string(), z.unknown()),
  /** replication lag: how many calls still do not find it */
  lag: z.object({ application: z.number(), servicePrincipal: z.number() }),
});

/** A certificate on an application: `key` is its DER, base64. */
const certificateSchema = z.object({
  id: z.string(),
  key: z.string(),
  /** SHA-256 of the DER, base64url */
  thumbprint: z.string(),
  name: z.nullable(z.string()),
  startsAt: z.number(),
  expiresAt: z.number(),
});

/** Graph's appRoleAssignment: an application permission that an administrator granted. */
const roleAssignmentSchema = z.object({
  id: z.string(),
  /** object id of the app's service principal */
  principalId: z.string(),
  resourceId: z.string(),
  appRoleId: z.string(),
  createdAt: z.number(),
});

const appSchema = z.object({
  clientId: z.string(),
  name: z.string(),
  /** platform "Mobile and desktop applications" */
  publicRedirects: z.array(z.string()),
  /** platform "Web" */
  webRedirects: z.array(z.string()),
  secrets: z.array(secretSchema),
  certificates: z.optional(z.array(certificateSchema)),
  registration: z.optional(registrationSchema),
});

const servicePrincipalSchema = z.object({
  objectId: z.string(),
  appId: z.string(),
  createdAt: z.number(),
  tags: z.array(z.string()),
  /** replication lag: how many calls still do not find it */
  lag: z.number(),
});

/** Graph's oauth2PermissionGrant. Both ids are object ids of service principals. */
const grantSchema = z.object({
  id: z.string(),
  clientId: z.string(),
  resourceId: z.string(),
  consentType: z.enum(['AllPrincipals', 'Principal']),
  principalId: z.nullable(z.string()),
  scope: z.string(),
});

const codeSchema = z.object({
  sha256: z.string(),
  clientId: z.string(),
  confidential: z.boolean(),
  redirectUri: z.string(),
  user: z.string(),
  scope: z.string(),
  challenge: z.optional(z.object({ value: z.string(), method: z.enum(['S256', 'plain']) })),
  nonce: z.optional(z.string()),
  expiresAt: z.number(),
  redeemed: z.boolean(),
});

const deviceCodeSchema = z.object({
  sha256: z.string(),
  /** what the person types, upper case */
  userCode: z.string(),
  clientId: z.string(),
  scope: z.string(),
  expiresAt: z.number(),
  state: z.enum(['pending', 'accepted', 'declined', 'redeemed']),
  /** who signed in with it */
  user: z.optional(z.string()),
  /** how often the app has asked */
  polls: z.number(),
});

const refreshSchema = z.object({
  sha256: z.string(),
  clientId: z.string(),
  confidential: z.boolean(),
  user: z.string(),
  scope: z.string(),
  issuedAt: z.number(),
});

const consentSchema = z.object({ clientId: z.string(), user: z.string(), scopes: z.array(z.string()) });

const stateSchema = z.object({
  version: z.literal(1),
  apps: z.array(appSchema),
  consents: z.array(consentSchema),
  codes: z.array(codeSchema),
  refreshTokens: z.array(refreshSchema),
  deviceCodes: z._default(z.array(deviceCodeSchema), () => []),
  servicePrincipals: z._default(z.array(servicePrincipalSchema), () => []),
  grants: z._default(z.array(grantSchema), () => []),
  roleAssignments: z._default(z.array(roleAssignmentSchema), () => []),
  deletedApps: z._default(z.array(z.object({ app: appSchema, deletedAt: z.number() })), () => []),
  /** worthless on purpose: it opens nothing but this sandbox, and every command must know it */
  readySecret: z.string(),
});

export type Registration = z.infer<typeof registrationSchema>;
export type StoredCertificate = z.infer<typeof certificateSchema>;
export type RoleAssignment = z.infer<typeof roleAssignmentSchema>;
export type StoredSecret = z.infer<typeof secretSchema>;
export type ServicePrincipal = z.infer<typeof servicePrincipalSchema>;
export type PermissionGrant = z.infer<typeof grantSchema>;
export type App = z.infer<typeof appSchema>;
export type Code = z.infer<typeof codeSchema>;
export type DeviceCode = z.infer<typeof deviceCodeSchema>;
export type RefreshToken = z.infer<typeof refreshSchema>;
export type State = z.infer<typeof stateSchema>;

/** What the sandbox remembers between commands: registrations, consents, codes and refresh tokens (hashes only). */
export interface StateStore {
  read(): Promise<State>;
  /** reads, lets `change` edit, writes; under the lock, so two commands never lose each other's change */
  change<T>(change: (state: State) => T): Promise<T>;
}

const fileName = 'state.json';
const yearMs = 365 * 86_400_000;
/** An idle refresh token ends after 90 days (learn.microsoft.com, refresh-tokens); kept longer, so that we can say so. */
const forgetRefreshMs = 200 * 86_400_000;
const forgetCodeMs = 3_600_000;
const mostRefreshTokens = 500;

export function openState(ctx: Pick<Context, 'clock' | 'random'>, folder: Folder): StateStore {
  const path = folder.file(fileName);

  const write = (state: State) => folder.files.writeAtomic(path, `${JSON.stringify(state, null, 2)}\n`);

  // Only under the lock: sets a broken file aside and begins anew.
  const readOrBegin = async (): Promise<State> => {
    const text = await folder.files.read(path);
    const state = text === undefined ? undefined : parse(text);
    if (state !== undefined) return state;
    if (text !== undefined) await folder.files.writeAtomic(folder.file(`state.broken-${ctx.clock.now()}.json`), text);
    const fresh = begin(ctx);
    await write(fresh);
    return fresh;
  };

  return {
    async read() {
      const text = await folder.files.read(path);
      const state = text === undefined ? undefined : parse(text);
      return state ?? folder.locked(readOrBegin);
    },
    change(change) {
      return folder.locked(async () => {
        const state = await readOrBegin();
        const result = change(state);
        forgetOld(state, ctx.clock.now());
        await write(state);
        return result;
      });
    },
  };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function parse(text: string): State | undefined {
  try {
    const read = stateSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

function begin(ctx: Pick<Context, 'clock' | 'random'>): State {
  // Entra's client secrets are 40 characters with a `~` and the digits `8Q~` near the start.
  const readySecret = `sbx8Q~${ctx.random.bytes(26).toString('base64url').slice(0, 34)}`;
  const secret = { id: ctx.random.uuid(), sha256: sha256(readySecret), expiresAt: ctx.clock.now() + 10 * yearMs };
  const { public: publicApp, confidential } = readyApps;
  return {
    version: 1,
    apps: [
      { clientId: publicApp.clientId, name: publicApp.name, publicRedirects: [publicApp.redirectUri], webRedirects: [], secrets: [] },
      {
        clientId: confidential.clientId,
        name: confidential.name,
        publicRedirects: [],
        webRedirects: [confidential.redirectUri],
        secrets: [secret],
      },
    ],
    consents: [],
    codes: [],
    refreshTokens: [],
    deviceCodes: [],
    servicePrincipals: [],
    grants: [],
    roleAssignments: [],
    deletedApps: [],
    readySecret,
  };
}

function forgetOld(state: State, now: number): void {
  state.codes = state.codes.filter((code) => code.expiresAt > now - forgetCodeMs);
  state.deviceCodes = state.deviceCodes.filter((code) => code.expiresAt > now - forgetCodeMs);
  state.refreshTokens = state.refreshTokens.filter((token) => token.issuedAt > now - forgetRefreshMs).slice(-mostRefreshTokens);
}
