import { createHash, timingSafeEqual } from 'node:crypto';
import { plain } from '../../core/text.ts';
import { type Refused, refused } from '../faults/entra-refusals.ts';
import type { FaultName } from '../faults/faults.ts';
import { declaredScopes, isFirstParty, preauthorizationRefuses, registrationOf } from '../tenant/app-objects.ts';
import { findUser, needsMfa, sharedPassword, type User } from '../tenant/directory.ts';
import { resources } from '../tenant/microsoft-resources.ts';
import { sha256 } from '../tenant/state.ts';
import type { App, Code, State } from '../tenant/state-schema.ts';
import { checkClient, type TokenForm } from './check-client.ts';
import { consentedKeys } from './consents.ts';
import { type AskedScope, consentKey, readScopes, scopeRefusal } from './scope-rules.ts';

/** What the rules need to know besides the state. */
export interface Setting {
  /** milliseconds since the epoch */
  readonly now: number;
  readonly graph: string;
  readonly fault: FaultName | undefined;
  /** makes the next refresh token */
  readonly newRefreshToken: () => string;
}

export interface Granted {
  readonly kind: 'granted';
  readonly app: App;
  readonly confidential: boolean;
  readonly user: User;
  readonly audience: string;
  /** names without prefix, as in `scp` */
  readonly scopes: readonly string[];
  /** the `scope` of the answer, with the prefix the request used */
  readonly scopeText: string;
  readonly wantsIdToken: boolean;
  readonly nonce: string | undefined;
  readonly refreshToken: string | undefined;
  /** the `claims` of the authorize request */
  readonly claims?: string | undefined;
}

export type Outcome = Granted | Refused;

const codeLooks = /^1\.A[\w-]+$/;
const idleMs = 90 * 86_400_000;

/** Redeems an authorization code once (RFC 6749 section 4.1.3, PKCE of RFC 7636 section 4.6). Edits the state. */
export function redeemCode(state: State, app: App, form: TokenForm, setting: Setting): Outcome {
  const given = form.code ?? '';
  if (given === '') return refused(900144, { parameter: 'code' });
  const code = state.codes.find((one) => one.sha256 === sha256(given));
  if (code === undefined || code.clientId !== app.clientId) return notOurs(given, 'code');
  const client = checkClient(app, code.confidential, form, setting);
  if (client !== undefined) return client;
  if (code.redeemed) return refused(54005);
  if ((setting.fault === 'code-expired' && !isFirstParty(app)) || code.expiresAt <= setting.now) return refused(70008);
  if (form.redirect_uri !== code.redirectUri) return refused(500112, { redirect: form.redirect_uri ?? '', expected: code.redirectUri });
  if (!verifierFits(code, form.code_verifier)) return refused(501481);
  const outcome = grant(state, app, { ...code, refreshing: false }, form.scope ?? code.scope, setting);
  if (outcome.kind === 'granted') code.redeemed = true;
  return outcome;
}

/** Answers a refresh token (RFC 6749 section 6) with a new one; the old one stays good, as Entra's does. Edits the state. */
export function redeemRefresh(state: State, app: App, form: TokenForm, setting: Setting): Outcome {
  const given = form.refresh_token ?? '';
  if (given === '') return refused(900144, { parameter: 'refresh_token' });
  const token = state.refreshTokens.find((one) => one.sha256 === sha256(given));
  if (token === undefined || token.clientId !== app.clientId) return notOurs(given, 'refresh_token');
  const client = checkClient(app, token.confidential, form, setting);
  if (client !== undefined) return client;
  const issued = new Date(token.issuedAt).toISOString();
  if (setting.fault === 'refresh-revoked') return refused(50173, { issued, now: new Date(setting.now).toISOString() });
  if (setting.fault === 'refresh-two-numbers') return refused(70002);
  if (setting.fault === 'refresh-malformed') return refused(9002313);
  if (setting.fault === 'refresh-device-blocked') return refused(530036, { issued });
  if (setting.fault === 'refresh-expired' || token.issuedAt + idleMs <= setting.now) return refused(700082, { issued });
  return grant(state, app, { ...token, refreshing: true }, form.scope ?? token.scope, setting);
}

/**
 * Signs in with user name and password (RFC 6749 section 4.3; learn.microsoft.com, v2-oauth-ropc): with one answer of Entra for each reason
 * to refuse. The consent must exist already. Edits the state.
 */
export function redeemPassword(state: State, app: App, named: string, form: TokenForm, setting: Setting): Outcome {
  if (['common', 'consumers'].includes(named.toLowerCase())) return refused(9001023);
  // Without a redirect URI this switch alone decides what the app is (learn.microsoft.com/graph, application: isFallbackPublicClient).
  const confidential = registrationOf(app).publicFallback !== true;
  const client = checkClient(app, confidential, form, setting);
  if (client !== undefined) return client;
  for (const parameter of ['username', 'password', 'scope']) if ((form[parameter] ?? '') === '') return refused(900144, { parameter });
  const person = findUser(form.username ?? '');
  if (person.kind === 'unknown' || person.kind === 'foreign') return refused(50034, { user: plain(form.username ?? '', 254) });
  if (form.password !== sharedPassword) return refused(50126);
  if (person.kind === 'disabled') return refused(50057);
  if (needsMfa(person.user.address)) return refused(50076, { resource: resources.outlook.appId });
  const from = { user: person.user.address, confidential, scope: form.scope ?? '', refreshing: false };
  return grant(state, app, from, from.scope, setting);
}

/** What a token is granted for: a code, a device code, a refresh token, or a password that was checked. */
interface Basis {
  readonly user: string;
  readonly confidential: boolean;
  readonly scope: string;
  readonly refreshing: boolean;
  readonly nonce?: string | undefined;
  readonly claims?: string | undefined;
}

/** The tokens for a basis that was checked: by scopes, consent and faults. Edits the state. */
export function grant(state: State, app: App, from: Basis, scope: string, setting: Setting): Outcome {
  const person = findUser(from.user);
  if (person.kind !== 'user') return refused(50034, { user: from.user });
  const firstParty = preauthorizationRefuses(app, scope);
  if (firstParty !== undefined) return refused(firstParty.aadsts, firstParty.blanks);
  const read = readScopes(scope, setting.graph, declaredScopes(app));
  if (read.kind !== 'ok') {
    const { aadsts, blanks } = scopeRefusal(read);
    return refused(aadsts, blanks);
  }
  const named = read.scopes.filter((one) => one.resource !== 'openid');
  if (new Set(named.map((one) => one.resource)).size > 1) return refused(28000, { scope });
  const exchange = named.find((one) => one.resource === 'outlook');
  if (setting.fault === 'no-exchange' && exchange !== undefined) return refused(500011, { resource: exchange.prefix.replace(/\/$/, '') });
  const consented = consentedKeys(state, app.clientId, person.user.address);
  if (!read.scopes.every((one) => consented.includes(consentKey(one)))) return refused(65001, { client: app.clientId });

  const wants = (name: string) => read.scopes.some((one) => one.resource === 'openid' && one.name === name);
  const refreshToken = from.refreshing || wants('offline_access') ? setting.newRefreshToken() : undefined;
  if (refreshToken !== undefined) {
    state.refreshTokens.push({
      sha256: sha256(refreshToken),
      clientId: app.clientId,
      confidential: from.confidential,
      user: person.user.address,
      scope: from.scope,
      issuedAt: setting.now,
    });
  }
  return {
    kind: 'granted',
    app,
    confidential: from.confidential,
    user: person.user,
    ...inToken(named, read.scopes, consented, setting.fault),
    wantsIdToken: wants('openid'),
    nonce: from.nonce,
    claims: from.claims,
    refreshToken,
  };
}

/**
 * The audience and the scopes of the token. Entra grants all consented scopes of that resource, also those that the request did not name.
 */
function inToken(named: readonly AskedScope[], asked: readonly AskedScope[], consented: readonly string[], fault: FaultName | undefined) {
  const first = named[0];
  if (first === undefined) {
    const scopes = asked.map((one) => one.name).filter((name) => name !== 'offline_access');
    return { audience: 'https://graph.microsoft.com', scopes, scopeText: scopes.join(' ') };
  }
  const all = consented.filter((key) => key.startsWith(`${first.resource}/`)).map((key) => key.slice(first.resource.length + 1));
  const kept = fault === 'wrong-scope' ? all.filter((name) => name !== 'IMAP.AccessAsUser.All') : all;
  const scopes = kept.length === 0 ? ['User.Read'] : kept;
  const audience = first.resource === 'outlook' ? first.prefix.replace(/\/$/, '') : 'https://graph.microsoft.com';
  return { audience, scopes, scopeText: scopes.map((name) => `${first.prefix}${name}`).join(' ') };
}

function notOurs(given: string, parameter: string): Refused {
  return codeLooks.test(given) ? refused(70000, { parameter }) : refused(9002313);
}

/** Without a challenge nothing is checked: Entra recommends PKCE to these clients and does not require it. */
function verifierFits(code: Code, verifier: string | undefined): boolean {
  if (code.challenge === undefined) return true;
  if (verifier === undefined) return false;
  const shown = code.challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
  const [a, b] = [Buffer.from(shown), Buffer.from(code.challenge.value)];
  return a.length === b.length && timingSafeEqual(a, b);
}
