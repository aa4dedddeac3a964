import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exchangeClaims, makeCertificates, type SigningKey, signToken } from './dovecot.ts';
import { checkSecret, type LabApp, newApp, oauthError, Refused, refusals, refuse } from './lab-app.ts';

/**
 * A laboratory Entra over https with an authority of its own, written from Microsoft's documentation and without a line of
 * the sandbox's: OpenID configuration (v2), authorize (approves by itself), token endpoint (code with PKCE, refresh,
 * client credentials). Each registration misbehaves alone, so that cases can run side by side.
 */
export interface LabEntra {
  readonly origin: string;
  /** PEM */
  readonly ca: string;
  readonly tenantId: string;
  /** its domain; every other one has no tenant */
  readonly domain: string;
  register(app?: Partial<LabApp>): LabApp;
  stop(): Promise<void>;
}

interface Grant {
  readonly app: LabApp;
  readonly account: string;
  readonly scopes: readonly string[];
  /** of the sign-in, repeated in its id_token (OpenID Connect Core section 3.1.2.1) */
  readonly nonce?: string;
}

interface Code extends Grant {
  readonly redirectUri: string;
  readonly challenge: string;
  used: boolean;
}

/** The same account has the same object id, each time. */
const objectIdOf = (account: string): string =>
  createHash('sha256')
    .update(account)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

export async function startLabEntra(key: SigningKey, accessTokenIssuer: string): Promise<LabEntra> {
  const dir = await mkdtemp(join(tmpdir(), 'lab-'));
  makeCertificates(dir, 'Laboratory authority');
  const [tlsKey, cert, ca] = await Promise.all(['srv.key', 'srv.crt', 'ca.crt'].map((file) => readFile(join(dir, file), 'utf8')));
  if (ca === undefined) throw new Error('no authority');
  const lab = new Lab(key, accessTokenIssuer);
  const server = createServer({ key: tlsKey ?? '', cert: cert ?? '' }, (req, res) => void lab.answer(req, res));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the lab has no port');
  lab.origin = `https://localhost:${address.port}`;
  return {
    origin: lab.origin,
    ca,
    tenantId: lab.tenantId,
    domain: lab.domain,
    register: (app) => lab.register(app),
    async stop() {
      server.close();
      server.closeAllConnections();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

class Lab {
  origin = '';
  readonly tenantId = '11111111-1111-1111-1111-111111111111';
  readonly domain = 'contoso.example';
  readonly #key: SigningKey;
  readonly #accessTokenIssuer: string;
  readonly #apps = new Map<string, LabApp>();
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, Grant>();

  constructor(key: SigningKey, accessTokenIssuer: string) {
    this.#key = key;
    this.#accessTokenIssuer = accessTokenIssuer;
  }

  register(wanted: Partial<LabApp> = {}): LabApp {
    const app = newApp(wanted);
    this.#apps.set(app.clientId, app);
    return app;
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<unknown> {
    const url = new URL(req.url ?? '/', this.origin);
    const [, tenant = '', ...rest] = url.pathname.split('/');
    const route = `${req.method} ${rest.join('/')}`;
    const known = tenant === this.domain || tenant === this.tenantId;
    if (route === 'GET v2.0/.well-known/openid-configuration') return this.#configuration(known, tenant, res);
    if (known && route === 'GET oauth2/v2.0/authorize') return this.#authorize(url.searchParams, res);
    if (known && route === 'POST oauth2/v2.0/token') return this.#token(new URLSearchParams(await bodyOf(req)), res);
    return json(res, 404, { error: 'not_found' });
  }

  #configuration(known: boolean, tenant: string, res: ServerResponse): ServerResponse {
    if (!known) return json(res, 400, oauthError(new Refused(400, 'invalid_tenant', 90002, `Tenant '${tenant}' not found.`)));
    const base = `${this.origin}/${this.tenantId}`;
    return json(res, 200, {
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      response_types_supported: ['code'],
      tenant_region_scope: 'EU',
    });
  }

  /** RFC 6749 section 4.1.1. What is wrong with app or redirect is shown here and never sent there. */
  #authorize(asked: URLSearchParams, res: ServerResponse): ServerResponse {
    const text = (name: string): string => asked.get(name) ?? '';
    const app = this.#apps.get(text('client_id'));
    if (app === undefined) return page(res, 'AADSTS700016: no such application');
    const mode = app.authorize;
    app.seen.push(`authorize ${mode}`);
    const redirectUri = text('redirect_uri');
    const registered = app.redirectUri === 'http://localhost' ? redirectUri.replace(/^(http:\/\/localhost):\d+$/, '$1') : redirectUri;
    if (registered !== app.redirectUri) return page(res, `AADSTS50011: the redirect URI ${redirectUri} does not match`);
    const sound =
      text('response_type') === 'code' && text('code_challenge_method') === 'S256' && /^[\w-]{43}$/.test(text('code_challenge'));
    if (!sound || text('response_mode') !== 'query') return page(res, 'AADSTS900144: the request is not as it should be');

    const back = new URL(redirectUri);
    back.searchParams.set('state', text('state'));
    if (mode === 'deny' || mode === 'server-error') {
      const denied = new Refused(400, 'access_denied', 65004, 'User declined to consent to access the app.');
      const said = oauthError(mode === 'deny' ? denied : refusals.unavailable());
      back.searchParams.set('error', said.error);
      back.searchParams.set('error_description', said.error_description);
      if (mode === 'deny') back.searchParams.set('error_subcode', 'cancel');
    } else {
      if (mode === 'foreign-state-first') {
        back.searchParams.set('state', 'somebody-elses');
        app.authorize = 'approve';
      }
      app.account ??= text('login_hint');
      const { account } = app;
      back.searchParams.set(
        'code',
        this.#newCode({
          app,
          account,
          redirectUri,
          challenge: text('code_challenge'),
          scopes: wordsOf(text('scope')),
          nonce: text('nonce'),
        }),
      );
    }
    return res.writeHead(302, { location: back.href }).end();
  }

  #newCode(code: Omit<Code, 'used'>): string {
    const text = `1.${randomBytes(600).toString('base64url')}`;
    this.#codes.set(text, { ...code, used: false });
    code.app.secrets.add(text);
    return text;
  }

  async #token(form: URLSearchParams, res: ServerResponse): Promise<ServerResponse> {
    const app = this.#apps.get(form.get('client_id') ?? '');
    const grant = form.get('grant_type') ?? '';
    try {
      if (app === undefined) throw new Refused(400, 'unauthorized_client', 700016, 'Application was not found in the directory.');
      if (app.delayMs > 0) await new Promise((done) => setTimeout(done, app.delayMs));
      await app.held;
      // Whoever asked has gone: no token is made for nobody.
      if (res.closed) return res;
      const answer = this.#grant(app, grant, form);
      app.seen.push(`${grant} ok`);
      return json(res, 200, answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      app?.seen.push(`${grant} ${error.aadsts}`);
      return json(res, error.status, oauthError(error), error.headers);
    }
  }

  #grant(app: LabApp, grant: string, form: URLSearchParams): object {
    checkSecret(app, form.get('client_secret') ?? undefined);
    if (grant === 'client_credentials') return { token_type: 'Bearer', expires_in: 3599, access_token: randomBytes(60).toString('hex') };
    if (grant === 'authorization_code') return this.#tokens(this.#redeem(app, form));
    const old = this.#refreshTokens.get(form.get('refresh_token') ?? '');
    if (grant !== 'refresh_token' || old === undefined)
      throw new Refused(400, 'invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.');
    if (old.app !== app)
      throw new Refused(400, 'invalid_grant', 700005, 'Provided authorization code is intended to use against other tenant.');
    app.refreshes += 1;
    refuse(app, ['unavailable', 'throttled', 'revoked']);
    return this.#tokens({ ...old, scopes: wordsOf(form.get('scope') ?? '') });
  }

  #redeem(app: LabApp, form: URLSearchParams): Grant {
    const code = this.#codes.get(form.get('code') ?? '');
    const verifier = form.get('code_verifier') ?? '';
    app.secrets.add(verifier);
    refuse(app, ['unavailable', 'throttled', 'code-expired']);
    if (code === undefined || code.app !== app) throw new Refused(400, 'invalid_grant', 9002313, 'Invalid request.');
    if (code.used) throw new Refused(400, 'invalid_grant', 54005, 'OAuth2 Authorization code was already redeemed.');
    if (form.get('redirect_uri') !== code.redirectUri) throw new Refused(400, 'invalid_grant', 50011, 'The redirect URI does not match.');
    if (createHash('sha256').update(verifier).digest('base64url') !== code.challenge) {
      throw new Refused(400, 'invalid_grant', 501481, 'The Code_Verifier does not match the code_challenge.');
    }
    code.used = true;
    return code;
  }

  /** RFC 6749 section 5.1, in Entra's sizes: 2 KB of access token, 1.5 KB of refresh token, a new one each time. */
  #tokens({ app, account, scopes, nonce }: Grant): object {
    const granted = scopes.filter((scope) => !app.withheld.includes(shortName(scope)) && scope !== 'offline_access');
    const now = Math.floor(Date.now() / 1000);
    const accessToken = signToken(
      {
        ...exchangeClaims(account, this.#accessTokenIssuer),
        appid: app.clientId,
        exp: now + Math.max(app.lifetimeSeconds, 60),
        scp: granted
          .filter((scope) => scope.includes('/'))
          .map(shortName)
          .join(' '),
        uti: randomUUID(),
        wids: Array.from({ length: 20 }, () => randomUUID()),
        ...app.claims,
      },
      this.#key,
    );
    const refreshToken = `1.${randomBytes(1100).toString('base64url')}`;
    this.#refreshTokens.set(refreshToken, { app, account, scopes });
    const idToken = signToken(
      {
        iss: `${this.origin}/${this.tenantId}/v2.0`,
        aud: app.clientId,
        exp: now + 3600,
        iat: now,
        preferred_username: account,
        oid: objectIdOf(account),
        ...(nonce === undefined || nonce === '' ? {} : { nonce }),
        tid: this.tenantId,
        sub: 's',
        ver: '2.0',
      },
      this.#key,
    );
    app.accessTokens.push(accessToken);
    for (const text of [accessToken, refreshToken, idToken]) app.secrets.add(text);
    return {
      token_type: 'Bearer',
      scope: granted.join(' '),
      expires_in: app.lifetimeSeconds,
      ext_expires_in: app.lifetimeSeconds,
      access_token: accessToken,
      id_token: idToken,
      ...(scopes.includes('offline_access') ? { refresh_token: refreshToken } : {}),
    };
  }
}

const wordsOf = (scope: string): string[] => scope.split(' ').filter((word) => word !== '');
const shortName = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1);

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function json(res: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): ServerResponse {
  return res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function page(res: ServerResponse, text: string): ServerResponse {
  return res.writeHead(200, { 'content-type': 'text/html' }).end(`<title>Sign in</title><p>${text}</p>`);
}
