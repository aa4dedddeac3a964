import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Item {
  readonly id: string;
  readonly [name: string]: unknown;
}

export interface GraphDirectory {
  readonly address: string;
  readonly applications: Item[];
  readonly servicePrincipals: Item[];
  readonly oauth2PermissionGrants: Item[];
  /** `POST /applications` … in order; what changes something */
  readonly changes: { readonly call: string; readonly body: unknown }[];
  /** refusals for the next changes, by call */
  readonly refuse: Map<string, { readonly status: number; readonly code: string; readonly message: string }>;
  close(): Promise<void>;
}

const exchangeScopes = [
  ['195adc35-e27b-454b-a7ed-1ecdffa1c09f', 'IMAP.AccessAsUser.All'],
  // Another id than in Microsoft's other tenants, as far as anybody has seen: the script must take this one.
  ['00000000-1111-4222-8333-444444444444', 'POP.AccessAsUser.All'],
  ['76faac2a-0f20-42f1-928a-50de5b9dbe52', 'SMTP.Send'],
].map(([id, value]) => ({ id, value }));

/** Just enough of Microsoft Graph, over plain http on 127.0.0.1, for a script that runs the real Azure CLI against it. */
export async function startGraphDirectory(): Promise<GraphDirectory> {
  let count = 0;
  const newId = () => {
    count += 1;
    return `${String(count).padStart(8, '0')}-aaaa-4bbb-8ccc-000000000000`;
  };
  const directory = {
    applications: [] as Item[],
    servicePrincipals: [
      { id: 'graph-sp', appId: '00000003-0000-0000-c000-000000000000' },
      { id: 'exchange-sp', appId: '00000002-0000-0ff1-ce00-000000000000', oauth2PermissionScopes: exchangeScopes },
    ] as Item[],
    oauth2PermissionGrants: [] as Item[],
    changes: [] as GraphDirectory['changes'],
    refuse: new Map<string, { status: number; code: string; message: string }>(),
  };

  function answer(method: string, url: URL, body: Record<string, unknown>): { status: number; body?: unknown } {
    const [, version, collection = '', id, action] = url.pathname.split('/');
    const items = { ...directory }[collection as 'applications'];
    if (version !== 'v1.0' || !Array.isArray(items)) return { status: 404, body: { error: { code: 'BadRequest', message: url.pathname } } };
    const item = items.find((one) => one.id === id);
    if (method === 'GET') return id === undefined ? { status: 200, body: { value: filtered(items, url) } } : { status: 200, body: item };

    const call = `${method} /${[collection, id === undefined ? '' : '{id}', action].filter(Boolean).join('/')}`;
    const refusal = directory.refuse.get(call);
    directory.refuse.delete(call);
    if (refusal !== undefined) return { status: refusal.status, body: { error: refusal } };
    directory.changes.push({ call, body });
    if (action === 'addPassword' && item !== undefined) {
      const made = { keyId: newId(), ...(body.passwordCredential as object) };
      (item.passwordCredentials as unknown[]).push(made);
      return { status: 200, body: { ...made, secretText: `made~Up.Secret_${count}` } };
    }
    if (method === 'PATCH' && item !== undefined) {
      Object.assign(item, body);
      return { status: 204 };
    }
    const made = { ...body, id: newId(), ...(collection === 'applications' ? { appId: newId(), passwordCredentials: [] } : {}) };
    items.push(made);
    return { status: 201, body: made };
  }

  const server = createServer(async (request, response) => {
    const reply = answer(request.method ?? '', new URL(request.url ?? '', 'http://localhost'), await read(request));
    response
      .writeHead(reply.status, { 'content-type': 'application/json' })
      .end(reply.body === undefined ? '' : JSON.stringify(reply.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { ...directory, address: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** `name eq 'value'`, joined by `and`, and `tags/any(t:t eq 'value')`. */
function filtered(items: readonly Item[], url: URL): readonly Item[] {
  const filter = url.searchParams.get('$filter') ?? '';
  const tag = /^tags\/any\(t:t eq '(.*)'\)$/.exec(filter)?.[1];
  if (tag !== undefined) return items.filter((one) => Array.isArray(one.tags) && one.tags.includes(tag));
  const terms = filter === '' ? [] : filter.split(' and ').map((term) => /^(\w+) eq '(.*)'$/.exec(term));
  return items.filter((one) => terms.every((term) => term !== null && one[term[1] ?? ''] === term[2]));
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : JSON.parse(text);
}
