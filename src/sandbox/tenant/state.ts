import { createHash } from 'node:crypto';
import type { Context } from '../../core/context.ts';
import { toJsonFile } from '../../store/schemas.ts';
import { readyApps } from './directory.ts';
import type { Folder } from './folder.ts';
import { type State, stateSchema } from './state-schema.ts';

/** What the sandbox remembers between commands: registrations, consents, codes and refresh tokens (hashes only). */
export interface StateStore {
  read(): Promise<State>;
  /** reads, lets `change` edit, writes; under the lock, so two commands never lose each other's change */
  change<T>(change: (state: State) => T): Promise<T>;
}

const fileName = 'state.json';
const yearMs = 365 * 86_400_000;
/**
 * An idle refresh token ends after 90 days (learn.microsoft.com, refresh-tokens); It is kept longer, so that the sandbox can say that it
 * has expired.
 */
const forgetRefreshMs = 200 * 86_400_000;
const forgetCodeMs = 3_600_000;
const mostRefreshTokens = 500;

export function openState(ctx: Pick<Context, 'clock' | 'random'>, folder: Folder): StateStore {
  const path = folder.file(fileName);

  const write = (state: State) => folder.files.writeAtomic(path, toJsonFile(state));

  // To be called under the lock only. A broken file is set aside, and the state begins again.
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
    domains: {},
    exchange: { switches: {}, rights: [], principals: [], scopes: [], roles: [], customized: false },
    readySecret,
  };
}

function forgetOld(state: State, now: number): void {
  state.codes = state.codes.filter((code) => code.expiresAt > now - forgetCodeMs);
  state.deviceCodes = state.deviceCodes.filter((code) => code.expiresAt > now - forgetCodeMs);
  state.refreshTokens = state.refreshTokens.filter((token) => token.issuedAt > now - forgetRefreshMs).slice(-mostRefreshTokens);
}
