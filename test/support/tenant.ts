import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context, Files } from '../../src/core/context.ts';
import { Interrupted } from '../../src/core/errors.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/start-sandbox.ts';
import { isReady } from '../../src/sandbox/tenant/directory.ts';
import type { App, PermissionGrant, ServicePrincipal, State } from '../../src/sandbox/tenant/state-schema.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import type { Machine } from './command-line.ts';
import { realNetwork, testContext } from './context.ts';
import { graphAgainAs, type SandboxGraph } from './sandbox-graph.ts';

/** What the sandbox's tenant has besides its ready apps. */
export interface Tenant {
  readonly apps: readonly App[];
  readonly servicePrincipals: readonly ServicePrincipal[];
  readonly grants: readonly PermissionGrant[];
  readonly deleted: readonly App[];
}

/** Reads the sandbox's own state, so that no test has to believe what mailauth says. */
export async function tenantOf(m: Machine): Promise<Tenant> {
  const text = await readFile(join(m.home, 'sandbox', 'state.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return { apps: [], servicePrincipals: [], grants: [], deleted: [] };
  const state: State = JSON.parse(text);
  return {
    apps: state.apps.filter((app) => !isReady(app.clientId)),
    servicePrincipals: state.servicePrincipals.filter((sp) => !isReady(sp.appId)),
    grants: state.grants,
    deleted: state.deletedApps.map((one) => one.app),
  };
}

/** How many of each stand in the tenant. */
export async function countOf(m: Machine) {
  const { apps, servicePrincipals, grants } = await tenantOf(m);
  return {
    apps: apps.length,
    servicePrincipals: servicePrincipals.length,
    grants: grants.length,
    secrets: apps.reduce((sum, app) => sum + app.secrets.length, 0),
  };
}

/** The one app that mailauth made; more or fewer fail the test. */
export async function onlyApp(m: Machine): Promise<App> {
  const { apps } = await tenantOf(m);
  const [app] = apps;
  if (app === undefined || apps.length !== 1) throw new Error(`${apps.length} apps in the tenant instead of one`);
  return app;
}

/** Waits for Microsoft (replication, throttling) cost no time. The deadline of a step, which has another signal, still does. */
export function hurried(): { readonly clock: Context['clock']; readonly signal: AbortSignal; readonly waits: number[] } {
  const { signal } = new AbortController();
  const waits: number[] = [];
  const sleep: Context['clock']['sleep'] = async (ms, other) => {
    if (other !== signal) return systemClock.sleep(ms, other);
    waits.push(ms);
  };
  return { clock: { ...systemClock, sleep }, signal, waits };
}

/** Stops the command when it has written the nth file that `counts`, as `kill -9` would, as far as one process can play that. */
export function stoppedAt(nth: number, counts: (path: string) => boolean): { files: Files; signal: AbortSignal; written: () => number } {
  const stop = new AbortController();
  let written = 0;
  const files: Files = {
    ...systemFiles,
    async writeAtomic(path, text, ...more) {
      await systemFiles.writeAtomic(path, text, ...more);
      if (!counts(path)) return;
      written += 1;
      if (written === nth) {
        stop.abort(new Interrupted());
        // What mailauth does afterwards does not count, as after kill -9.
        throw stop.signal.reason;
      }
    },
  };
  return { files, signal: stop.signal, written: () => written };
}

export const journalWrites = (path: string): boolean => path.includes('/setups/');

/** Acts in the tenant of this machine beside mailauth: as the administrator, or as somebody else. */
export async function beside<T>(m: Machine, act: (graph: SandboxGraph, sandbox: Sandbox) => Promise<T>, account?: string): Promise<T> {
  const sandbox = await openSandbox({ ctx: testContext({ network: realNetwork }), home: join(m.home, 'sandbox') });
  try {
    return await act(await graphAgainAs(sandbox, realNetwork.trusting(sandbox.ca), account), sandbox);
  } finally {
    await sandbox.close();
  }
}

/** Every file under MAILAUTH_HOME that mailauth wrote for itself, as one text: the sandbox's own stores are left out. */
export async function writtenBy(m: Machine): Promise<string> {
  const own = ['state.json', 'secrets.json', 'keys.json', 'ca.pem'];
  const entries = await readdir(m.home, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && !own.includes(entry.name));
  return (await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')))).join('\n');
}

/** The values in the keychain, which must be stored nowhere else. */
export function secretsOf(m: Machine): readonly string[] {
  return [...m.keychain.entries.values()].flatMap((value) => {
    const inside = value.startsWith('{') ? Object.values(JSON.parse(value)) : [value];
    return inside.filter((one): one is string => typeof one === 'string' && one.length > 30 && !/^https?:|@/.test(one));
  });
}
