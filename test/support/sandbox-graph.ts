import type { HttpRequest, Network } from '../../src/core/context.ts';
import type { Sandbox } from '../../src/sandbox/start-sandbox.ts';
import { administrator, azureCli } from '../../src/sandbox/tenant/directory.ts';
import { askToken, signIn, verifier } from './sandbox.ts';

/** What the tests read of Graph's answers. */
export interface GraphBody {
  readonly id?: string;
  readonly appId?: string;
  readonly displayName?: string;
  readonly scope?: string;
  readonly value?: readonly GraphBody[];
  readonly secretText?: string;
  readonly hint?: string;
  readonly keyId?: string;
  readonly isEnabled?: boolean;
  readonly passwordCredentials?: readonly object[];
  readonly defaultUserRolePermissions?: object;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: readonly { readonly code: string }[] };
}

export interface SandboxGraph {
  readonly token: string;
  call(
    method: HttpRequest['method'],
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: GraphBody; text: string }>;
}

/** By the authority of a sandbox and the account: the sandboxes of a worker share their keys, so one of them accepts the token of another. */
const tokens = new Map<string, string>();

/** As `graphAs` for a sandbox without a fault, but the account signs in only the first time in a worker. */
export async function graphAgainAs(sandbox: Sandbox, network: Network, account: string = administrator): Promise<SandboxGraph> {
  const whose = `${account}\n${sandbox.ca}`;
  const token = tokens.get(whose);
  if (token !== undefined) return graphWith(sandbox, network, token);
  const graph = await graphAs(sandbox, network, account);
  tokens.set(whose, graph.token);
  return graph;
}

/** Signs in as Azure CLI, with code and PKCE, and speaks to the sandbox's Graph with that token. */
export async function graphAs(sandbox: Sandbox, network: Network, account: string = administrator): Promise<SandboxGraph> {
  const scope = `${sandbox.cloud.graph}/.default`;
  const { answer, redirectUri } = await signIn(sandbox, network, { client_id: azureCli.clientId, scope, login_hint: account });
  const { body } = await askToken(sandbox, network, {
    client_id: azureCli.clientId,
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    scope,
  });
  return graphWith(sandbox, network, body.access_token ?? '');
}

export function graphWith(sandbox: Sandbox, network: Network, token: string): SandboxGraph {
  return {
    token,
    async call(method, path, body, headers = {}) {
      const response = await network.request({
        method,
        url: path.startsWith('https:') ? path : `${sandbox.cloud.graph}/v1.0${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: 5000,
      });
      const json = /^\{/.test(response.text) ? JSON.parse(response.text) : {};
      return { status: response.status, headers: response.headers, body: json, text: response.text };
    },
  };
}
