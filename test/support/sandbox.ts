import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Context, HttpResponse, Network } from '../../src/core/context.ts';
import { openSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/start-sandbox.ts';
import { realNetwork, temporaryFolder, testContext } from './context.ts';

export const mailScope = 'https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid profile';
export const verifier = 'v'.repeat(43);

export interface TestSandbox extends Sandbox {
  readonly ctx: Context;
  readonly home: string;
  /** network that trusts this sandbox */
  readonly network: Network;
  /** another one on the same home, closed with the first */
  again(more?: Partial<SandboxOptions>): Promise<Sandbox>;
}

export const keyFiles = ['keys.json', 'ca.pem'];
let sharedKeys: ReadonlyMap<string, string> | undefined;

/** Making keys takes half a second, so the sandboxes of a worker share those of the first one: put into a new folder, and taken from it. */
export async function putSharedKeys(home: string): Promise<void> {
  if (sharedKeys === undefined) return;
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const [name, text] of sharedKeys) await writeFile(join(home, name), text, { mode: 0o600 });
}

export async function takeSharedKeys(home: string): Promise<void> {
  if (sharedKeys !== undefined) return;
  const texts = await Promise.all(keyFiles.map(async (name) => [name, await readFile(join(home, name), 'utf8')] as const)).catch(
    () => undefined,
  );
  if (texts !== undefined) sharedKeys = new Map(texts);
}

/** A sandbox in a folder of its own, on the real network stack; `end` closes all and removes the folder. */
export async function testSandbox(more: Partial<SandboxOptions> = {}): Promise<{ sandbox: TestSandbox; end: () => Promise<void> }> {
  const folder = await temporaryFolder();
  const ctx = testContext({ network: realNetwork });
  const opened: Sandbox[] = [];
  const open = async (extra: Partial<SandboxOptions>) => {
    const sandbox = await openSandbox({ ctx, home: folder.path, ...extra });
    opened.push(sandbox);
    return sandbox;
  };
  await putSharedKeys(folder.path);
  const first = await open(more);
  await takeSharedKeys(folder.path);
  return {
    sandbox: { ...first, ctx, home: folder.path, network: ctx.network.trusting(first.ca), again: (extra = {}) => open(extra) },
    end: async () => {
      await Promise.all(opened.map((one) => one.close()));
      await folder.remove();
    },
  };
}

/** Where the tenant's OpenID configuration says the pages are. */
export async function authorizeAddress(network: Network, sandbox: Sandbox, parameters: Readonly<Record<string, string>>): Promise<string> {
  const url = `${sandbox.cloud.login}/contoso.example/v2.0/.well-known/openid-configuration`;
  const { authorization_endpoint: address } = JSON.parse((await network.request({ method: 'GET', url, timeoutMs: 5000 })).text);
  const all = {
    client_id: sandbox.ready.public.clientId,
    response_type: 'code',
    redirect_uri: 'http://localhost:9',
    scope: mailScope,
    state: 'the-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  return `${address}?${new URLSearchParams(all)}`;
}

/** A tiny listener of an app: what the redirect brought, and how often the clean page was fetched. */
export async function tinyLoopback(): Promise<{ uri: string; got: URLSearchParams[]; cleaned: () => number; close: () => Promise<void> }> {
  const got: URLSearchParams[] = [];
  let cleaned = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/done') cleaned += 1;
    // A browser asks for the icon as well.
    else if (url.searchParams.size > 0) got.push(url.searchParams);
    response.writeHead(url.pathname === '/done' ? 200 : 302, { location: '/done', connection: 'close' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { uri: `http://localhost:${port}`, got, cleaned: () => cleaned, close };
}

/** Signs in by `approve` and gives back what the redirect brought. */
export async function signIn(
  sandbox: Sandbox,
  network: Network,
  more: Readonly<Record<string, string>> = {},
): Promise<{ answer: URLSearchParams; redirectUri: string }> {
  const loopback = await tinyLoopback();
  try {
    const path = new URL(more.redirect_uri ?? 'http://localhost').pathname;
    const redirectUri = path === '/' ? loopback.uri : `${loopback.uri}${path}`;
    await sandbox.approve(
      await authorizeAddress(network, sandbox, { login_hint: 'helpdesk@contoso.example', ...more, redirect_uri: redirectUri }),
    );
    const [answer] = loopback.got;
    if (answer === undefined || loopback.cleaned() !== 1) throw new Error('the redirect did not arrive, or its clean page was not fetched');
    return { answer, redirectUri };
  } finally {
    await loopback.close();
  }
}

export async function askToken(
  sandbox: Sandbox,
  network: Network,
  form: Readonly<Record<string, string>>,
): Promise<{ response: HttpResponse; body: Record<string, never> & { [name: string]: never } }> {
  const response = await network.request({
    method: 'POST',
    url: `${sandbox.cloud.login}/${sandbox.tenant.id}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id: sandbox.ready.public.clientId, client_info: '1', ...form }).toString(),
    timeoutMs: 5000,
  });
  return { response, body: JSON.parse(response.text) };
}

/** The whole chain for the ready public app: tokens as the endpoint sends them. */
export async function tokensFor(sandbox: Sandbox, network: Network, more: Readonly<Record<string, string>> = {}) {
  const { answer, redirectUri } = await signIn(sandbox, network, more);
  const code = answer.get('code') ?? '';
  return askToken(sandbox, network, { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier });
}
