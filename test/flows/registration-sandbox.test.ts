import { afterEach, describe, expect, it } from 'vitest';
import { MailauthError } from '../../src/core/errors.ts';
import type { RegistrationPlan } from '../../src/core/registration-plan.ts';
import { Secret } from '../../src/core/secret.ts';
import { createGraph } from '../../src/entra/graph.ts';
import { registerApp } from '../../src/entra/registration.ts';
import type { KnownRegistration } from '../../src/entra/registration-run.ts';
import { deleteApp } from '../../src/entra/undo.ts';
import type { SandboxOptions } from '../../src/sandbox/start-sandbox.ts';
import { systemRandom } from '../../src/system/clock-and-random.ts';
import { testSandbox } from '../support/sandbox.ts';
import { graphAgainAs, graphAs } from '../support/sandbox-graph.ts';
import { commands, fakeClock } from '../unit/entra/fake-graph.ts';
import { plans, tag } from '../unit/entra/plans.ts';

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

/** The registration of src/entra against the Graph of the sandbox, over real sockets. Waits cost no time. */
async function tenant(options: Partial<SandboxOptions> = {}) {
  const { sandbox, end } = await testSandbox(options);
  ends.push(end);
  const { token } = await (options.fault === undefined ? graphAgainAs : graphAs)(sandbox, sandbox.network);
  const waits: string[] = [];
  const shared = { clock: fakeClock(Date.now()), signal: new AbortController().signal, onWait: (reason: string) => waits.push(reason) };
  const make = {
    network: sandbox.network,
    cloud: sandbox.cloud,
    token: new Secret(token),
    random: systemRandom,
    timeoutMs: 5000,
    ...shared,
  };
  const graph = createGraph(make);
  const kept: string[] = [];
  const keepSecret = async (_: Secret, { keyId }: { keyId: string }) => void kept.push(keyId);
  const register = (plan: RegistrationPlan, known: KnownRegistration = {}) =>
    registerApp({ graph, commands, keepSecret, ...shared }, plan, known, async () => undefined);
  return { graph, register, kept, waits, undo: { graph, commands, ...shared } };
}

describe('registration in the sandbox', () => {
  it.each(Object.entries(plans))('%s: is made, is found unchanged, and is removed', async (_, plan) => {
    const { graph, register, kept, undo } = await tenant();
    const made = await register(plan);
    expect(graph.calls).toBe('secretMonths' in plan ? 8 : 7);
    expect(kept).toHaveLength('secretMonths' in plan ? 1 : 0);
    const again = await register(plan, { appObjectId: made.appObjectId, appId: made.appId, keyIds: kept });
    expect(again).toMatchObject({ appId: made.appId, grantIds: made.grantIds, changed: [] });
    const { appObjectId, spObjectId = '' } = made;
    const gone = await deleteApp(undo, { appObjectId, spObjectId, grantIds: Object.values(made.grantIds), tag });
    expect(gone.application).toBe('removed');
    expect(await graph.get(`/applications/${appObjectId}`)).toMatchObject({ kind: 'refused', status: 404 });
  });

  it.each([
    ['graph-lag', 'replication'],
    ['graph-throttled', 'throttled'],
    ['graph-unavailable', 'server-error'],
  ] as const)('%s is waited for', async (fault, reason) => {
    const { register, waits } = await tenant({ fault });
    expect((await register(plans.osticket)).changed).toEqual(['application', 'service-principal', 'grant', 'secret']);
    expect(new Set(waits)).toEqual(new Set([reason]));
  });

  it.each([
    ['graph-not-admin', 'graph-role-missing', plans.osticket],
    ['registration-forbidden', 'graph-role-missing', plans.osticket],
    ['secrets-forbidden', 'secrets-forbidden', plans.osticket],
    ['secret-lifetime-policy', 'secret-lifetime-forbidden', plans.osticket],
    ['audience-forbidden', 'audience-forbidden', plans.supportpal],
    ['no-exchange', 'tenant-without-exchange', plans.osticket],
  ] as const)('%s is said as %s', async (fault, code, plan) => {
    const { register } = await tenant({ fault });
    const error = await register(plan).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MailauthError);
    expect(error).toMatchObject({ code, exit: 6 });
  });
});
