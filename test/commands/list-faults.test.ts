import { afterAll, beforeAll, expect, it } from 'vitest';
import { sandboxFaults } from '../../src/sandbox/faults/faults.ts';
import { type Machine, machine } from '../support/command-line.ts';

let m: Machine;
beforeAll(async () => {
  m = await machine();
});
afterAll(() => m.end());

it('sandbox --list-faults: each with what the server does and what the operator will see, grouped by area', async () => {
  const ran = await m.mailauth('sandbox --list-faults');
  expect([ran.exit, ran.err]).toEqual([0, '']);
  const lines = ran.out.split('\n');
  expect(lines.filter((line) => /^\S/.test(line))).toHaveLength(12);
  for (const { name } of sandboxFaults) expect(lines.filter((line) => line.startsWith(`  ${name} `))).toHaveLength(1);
  const at = lines.findIndex((line) => line.startsWith('  smtp-throttled '));
  expect(lines[at + 1]).toMatch(/^ +HOST asks MAILBOX to send more slowly \(smtp-throttled, exit 5\)$/);
  const policy = lines.findIndex((line) => line.startsWith('  policy-blocked '));
  expect(lines.slice(policy + 1, policy + 3)).toEqual([
    expect.stringMatching(/\(policy-blocked, exit 6\)$/),
    expect.stringMatching(/^ +token get: A Conditional Access policy asks for a new sign-in for MAILBOX \(refresh-policy, exit 4\)$/),
  ]);
  const secret = lines.findIndex((line) => line.startsWith('  secret-expired '));
  expect(lines[secret + 2]).toMatch(/^ +token get: .*\(stored-secret-expired, exit 1\)$/);
  for (const where of ['tenant', 'mailbox']) {
    const at = lines.findIndex((line) => line.startsWith(`  smtp-auth-disabled-${where} `));
    expect(lines[at + 1]).toMatch(new RegExp(`switched off for the ${where}`));
  }
  expect(lines.find((line) => line.startsWith('  app-gone '))).toContain('with secret rotate');
  const waited = lines.findIndex((line) => line.startsWith('  graph-lag '));
  expect(lines[waited + 1]).toMatch(/^ +nothing: mailauth waits and goes on$/);
});

it('--json tells code, exit and title', async () => {
  const { faults } = (await m.mailauth('sandbox --list-faults --json')).json().data;
  expect(faults).toHaveLength(sandboxFaults.length);
  expect(faults).toContainEqual({
    name: 'mfa-needed',
    area: 'token',
    what: 'the token endpoint refuses with AADSTS50076',
    code: 'mfa-needed',
    title: 'MAILBOX must confirm the sign-in (multi-factor authentication)',
    exit: 4,
  });
  // The list says the exit code that the command ends with.
  for (const [name, exit] of [
    ['admin-policy-blocked', 6],
    ['admin-mfa-needed', 4],
    ['admin-password-wrong', 1],
  ] as const) {
    expect(faults).toContainEqual(expect.objectContaining({ name, code: 'admin-sign-in-refused', exit }));
    const ran = await m.mailauth(`setup --sandbox --yes --json --fault ${name}`);
    expect([name, ran.exit]).toEqual([name, exit]);
  }
  expect(faults).toContainEqual(expect.objectContaining({ name: 'graph-lag', code: null, title: null, exit: 0 }));
});
