import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { catalogue } from '../../src/errors/catalogue/catalogue.ts';
import type { FaultArea } from '../../src/sandbox/faults/fault.ts';
import { sandboxFaults } from '../../src/sandbox/faults/faults.ts';
import { opensslCertificate, type TestCertificate } from '../support/certificate.ts';
import { type Machine, machine, type Ran } from '../support/command-line.ts';
import { quickClock } from '../support/context.ts';
import { countOf, hurried, onlyApp } from '../support/tenant.ts';

/** Every fault of the sign-in, of device codes and of Graph, each over real sockets, on a computer of its own. */
let m: Machine;
let pair: TestCertificate;
beforeAll(async () => {
  pair = await opensslCertificate();
});
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const cases = (area: FaultArea) => sandboxFaults.filter((fault) => fault.area === area).map((fault) => [fault.name, fault] as const);
const expected = ({ sees }: (typeof sandboxFaults)[number]) => ({ code: sees, exit: sees === undefined ? 0 : catalogue[sees].exit });
const seen = (ran: Ran) => ({ code: ran.lines().at(-1)?.error?.code, exit: ran.exit });

const files = (folder: string): Promise<readonly string[]> => readdir(join(m.home, 'sandbox', folder)).catch(() => []);
const setup = 'setup --sandbox --yes --no-test --json';
const ready = `${setup} --register existing`;

describe('sign-in', () => {
  it.each(cases('sign-in'))('%s', async (name, fault) => {
    const ran = await m.mailauth(`${ready}${name === 'consent-other-tenant' ? ' --consent admin' : ''} --fault ${name}`, {
      clock: quickClock,
    });
    expect(seen(ran)).toEqual(expected(fault));
    // Nothing is stored.
    expect((await m.mailauth('token get --sandbox')).exit).toBe(4);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('token/'))).toEqual([]);
    expect(await files('mailboxes')).toEqual([]);
  });

  it('secret-expired', async () => {
    const ran = await m.mailauth(`${ready} --client-type confidential --fault secret-expired`);
    expect(seen(ran)).toEqual({ code: 'client-secret-expired', exit: 1 });
  });
});

it('token-app-only: also for an app that mailauth registered, public or with a secret', async () => {
  const set = 'setup --sandbox --yes --no-test';
  await m.ready(set);
  for (const again of ['', `${set} --client-type confidential --fresh`]) {
    if (again !== '') expect((await m.mailauth(again)).exit).toBe(0);
    expect((await m.mailauth('token get --sandbox --force-refresh --json --fault token-app-only')).exit).toBe(0);
    for (const protocol of ['imap', 'smtp']) {
      const ran = await m.mailauth(`test ${protocol} --sandbox --json`);
      expect([ran.json().error?.code, ran.exit]).toEqual(['mail-app-only', catalogue['mail-app-only'].exit]);
    }
  }
});

describe('device codes', () => {
  const signingIn = cases('device').filter(([name]) => name !== 'refresh-device-blocked');

  it.each(signingIn)('%s', async (name, fault) => {
    const ran = await m.mailauth(`${ready} --sign-in device --fault ${name}`, hurried());
    expect(seen(ran)).toEqual(expected(fault));
  });

  it('refresh-device-blocked', async () => {
    await m.ready('setup --sandbox --yes --no-test --register existing --sign-in device');
    const ran = await m.mailauth('token get --sandbox --force-refresh --json --fault refresh-device-blocked');
    expect([ran.json().error?.code, ran.exit]).toEqual(['sign-in-expired', 4]);
  });
});

describe('Graph', () => {
  const confidential = ' --client-type confidential';
  const appOnly = () => ` --access app-only --certificate ${join(m.home, 'pair.pem')}`;
  const certified = ['certificates-forbidden', 'certificate-authority', 'certificate-lifetime-policy'];
  const more: Readonly<Record<string, string>> = {
    'audience-forbidden': ' --audience multi',
    'secrets-forbidden': confidential,
    'secret-lifetime-policy': confidential,
    'secret-not-replicated': confidential,
  };

  /** What the person reads meanwhile; the others are refusals. */
  const waitedFor: Readonly<Record<string, string>> = {
    'graph-lag': 'publishing',
    'graph-throttled': 'slow down',
    'graph-unavailable': 'server error',
    'secret-not-replicated': 'publishing',
  };
  const leavesAnApp: readonly string[] = ['secrets-forbidden', 'secret-lifetime-policy', 'graph-lag-forever'];
  /** Their words tell what Graph answered, and not what was changed. */
  const tellsTheAnswer: readonly string[] = ['graph-token-refused', 'graph-claims-refused', 'graph-busy', 'graph-page'];
  const nothing = { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 };
  const faults = cases('graph').filter(([name]) => !['app-gone', 'graph-claims-challenge', 'graph-reads-lag'].includes(name));

  it.each(faults.filter(([name]) => !(name in waitedFor)))('%s: what exists is said, and the undo works', async (name, fault) => {
    if (certified.includes(name)) await writeFile(join(m.home, 'pair.pem'), pair.certificate + pair.key, { mode: 0o600 });
    const ran = await m.mailauth(`${setup}${certified.includes(name) ? appOnly() : (more[name] ?? '')} --fault ${name}`, hurried());
    expect(seen(ran)).toEqual(expected(fault));
    expect(await files('mailboxes')).toEqual([]);
    const { why = '', next = [] } = ran.lines().at(-1)?.error ?? {};
    const { apps, secrets } = await countOf(m);
    expect([apps, secrets]).toEqual([leavesAnApp.includes(name) ? 1 : 0, 0]);
    if (apps === 0) {
      expect([name, why.includes('Nothing was changed in the tenant')]).toEqual([name, !tellsTheAnswer.includes(name)]);
      return;
    }
    expect(why).toContain(`the application ${(await onlyApp(m)).clientId}`);
    const undo = next.find((line) => line.includes('--delete-app'));
    expect(undo).toContain('mailauth logout helpdesk@contoso.example --for this-computer --delete-app');
    expect((await m.mailauth(`${undo?.replace(/^.*mailauth /, '')} --yes`)).exit).toBe(0);
    expect([await countOf(m), await files('setups')]).toEqual([nothing, []]);
  });

  it.each(faults.filter(([name]) => name in waitedFor))('%s is waited for, visibly, and makes everything once', async (name, fault) => {
    const patience = hurried();
    const ran = await m.mailauth(`setup --sandbox --yes --no-test${more[name] ?? ''} --fault ${name}`, patience);
    expect([ran.exit, fault.sees]).toEqual([0, undefined]);
    expect(patience.waits.length).toBeGreaterThan(0);
    expect(ran.err).toContain(waitedFor[name]);
    expect(await countOf(m)).toEqual({ apps: 1, servicePrincipals: 1, grants: 2, secrets: more[name] === undefined ? 0 : 1 });
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });

  it('app-gone', async () => {
    await m.ready(`setup --sandbox --yes --no-test${confidential}`);
    const ran = await m.mailauth('secret rotate --sandbox --yes --json --fault app-gone', hurried());
    expect([ran.json().error?.code, ran.exit]).toEqual(['app-gone', 1]);
  });
});
