import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { loginServer } from '../../../src/sandbox/entra/login-server.ts';
import type { FaultName } from '../../../src/sandbox/faults/faults.ts';
import { announce } from '../../../src/sandbox/running.ts';
import { listener, type SandboxRequest } from '../../../src/sandbox/server/http.ts';
import { listenOnLoopback } from '../../../src/sandbox/server/listen.ts';
import type { Service } from '../../../src/sandbox/server/service.ts';
import { startServers } from '../../../src/sandbox/servers.ts';
import { openKeyRing } from '../../../src/sandbox/tenant/authority.ts';
import { isReady } from '../../../src/sandbox/tenant/directory.ts';
import { openFolder } from '../../../src/sandbox/tenant/folder.ts';
import { openOutbox } from '../../../src/sandbox/tenant/outbox.ts';
import { openState } from '../../../src/sandbox/tenant/state.ts';
import type { App, State } from '../../../src/sandbox/tenant/state-schema.ts';
import { openMint } from '../../../src/sandbox/tenant/tokens.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';
import { newHome } from './chromium.ts';

/**
 * The nth call to Graph or Exchange Online from now on (1 is the next), or the first one named so: it stops `before` the directory sees it,
 * or `after` it was done and before its answer.
 */
export interface Gate {
  readonly nth?: number;
  readonly call?: string;
  readonly where: 'before' | 'after';
}

export type Seat = Awaited<ReturnType<typeof newHome>>;

/** One running sandbox that any number of homes join, with a gate in front of its Graph and its Exchange Online: what stops there gets no answer until it is let go. */
export interface GatedSandbox {
  /** `POST /applications`, `Set-CASMailbox ImapEnabled`, since the last `gate` */
  readonly calls: readonly string[];
  /** a MAILAUTH_HOME of its own that joins this sandbox */
  seat(): Promise<Seat>;
  /** counts from 0 again; `stopped` resolves when a call stands at the gate. One call stops, once */
  gate(at?: Gate): { readonly stopped: Promise<string>; readonly letGo: () => void };
  /** all that it knows */
  state(): Promise<State>;
  /** what stands in the tenant besides the ready apps */
  tenant(): Promise<Pick<State, 'servicePrincipals' | 'grants'> & { readonly apps: readonly App[] }>;
  /** a change by somebody else */
  change(edit: (state: State) => void): Promise<void>;
  close(): Promise<void>;
}

/** Making keys takes half a second: one test file makes them once. */
let shared: { readonly keys: string; readonly ca: string } | undefined;

export async function openGatedSandbox(fault?: FaultName): Promise<GatedSandbox> {
  const place = await temporaryFolder();
  const ctx = testContext({ network: createNetwork({ env: {} }) });
  if (shared !== undefined) {
    await writeFile(join(place.path, 'keys.json'), shared.keys, { mode: 0o600 });
    await writeFile(join(place.path, 'ca.pem'), shared.ca, { mode: 0o600 });
  }
  const folder = openFolder(ctx, place.path);
  const state = openState(ctx, folder);
  const keys = await openKeyRing(ctx, folder);
  shared ??= { keys: await readFile(join(place.path, 'keys.json'), 'utf8'), ca: keys.ca };
  const service: Service = {
    ctx,
    state,
    outbox: openOutbox(ctx, folder),
    mint: openMint(ctx, keys.signingKey),
    fault,
    tokenSeconds: undefined,
    nonce: ctx.random.uuid(),
    addresses: { pages: '', login: '', graph: '', exchange: '' },
    trouble: undefined,
    seen: 0,
  };
  const servers = await startServers(service, keys, {});
  // The faults that refuse a command's first calls count by service: each `gate` begins with a new one.
  let current = service;
  const calls: string[] = [];
  let at: Gate | undefined;
  let stop = (_call: string) => {};
  let open: Promise<void> = Promise.resolve();
  const gated = listener(
    async (request) => {
      const call = callIn(request);
      if (call === undefined) return loginServer(service, request);
      calls.push(call);
      const due = at !== undefined && (at.call ?? call) === call && (at.nth ?? calls.length) === calls.length ? at.where : undefined;
      if (due !== undefined) at = undefined;
      const opened = open;
      if (due === 'before') {
        stop(call);
        await opened;
      }
      const reply = await loginServer(current, request);
      if (due === 'after') {
        stop(call);
        await opened;
      }
      return reply;
    },
    () => undefined,
  );
  const login = await listenOnLoopback(() => {
    const server = createServer({ cert: keys.cert, key: keys.key }, gated);
    return { server, drop: () => server.closeAllConnections() };
  }, undefined);
  service.addresses.login = `https://localhost:${login.port}`;
  service.addresses.graph = `${service.addresses.login}/graph`;
  service.addresses.exchange = `${service.addresses.login}/exchange`;
  await announce(folder, { ...servers.ports, login: login.port, pid: ctx.pid, nonce: service.nonce });
  const homes: Seat[] = [];
  return {
    calls,
    async seat() {
      const home = await newHome();
      homes.push(home);
      const own = join(home.path, 'sandbox');
      await mkdir(own, { mode: 0o700 });
      // The state holds the client secret of the sandbox's own app.
      await state.change(() => undefined);
      for (const name of ['keys.json', 'ca.pem', 'running.json', 'state.json']) await cp(join(place.path, name), join(own, name));
      return home;
    },
    gate(next) {
      calls.length = 0;
      at = next;
      current = { ...service };
      let letGo = () => {};
      open = new Promise((done) => {
        letGo = done;
      });
      const stopped = new Promise<string>((done) => {
        stop = done;
      });
      return { stopped, letGo };
    },
    state: () => state.read(),
    async tenant() {
      const { apps, servicePrincipals, grants } = await state.read();
      const made = apps.filter((app) => !isReady(app.clientId));
      return { apps: made, servicePrincipals: servicePrincipals.filter((sp) => !isReady(sp.appId)), grants };
    },
    change: (edit) => state.change(edit),
    async close() {
      await Promise.all([login.close(), servers.close()]);
      await Promise.all(homes.map((home) => home.remove()));
      await place.remove();
    },
  };
}

const cmdlet = z.object({ CmdletInput: z.object({ CmdletName: z.string(), Parameters: z.record(z.string(), z.unknown()) }) });

/** The name of what goes through the gate; undefined: the sign-in, which does not. A cmdlet is named with its last parameter. */
function callIn({ method, path, body }: SandboxRequest): string | undefined {
  if (path.startsWith('/graph/')) return `${method} ${path.replace('/graph/v1.0', '')}`;
  if (!path.startsWith('/exchange/')) return undefined;
  const { CmdletName, Parameters } = cmdlet.parse(JSON.parse(body)).CmdletInput;
  return [CmdletName, ...Object.keys(Parameters).slice(-1)].join(' ');
}
