import { afterEach, beforeEach, expect, it } from 'vitest';
import { catalogue } from '../../src/errors/catalogue/catalogue.ts';
import { sandboxFaults } from '../../src/sandbox/faults/faults.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { hurried } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const faults = sandboxFaults.filter(({ area }) => area === 'exchange');
/** What is seen only where something has to be changed, and these only where an app sends by a role. */
const changes = ['exchange-cmdlet-forbidden', 'exchange-refused', 'exchange-half-done', 'exchange-lag'];
const ofRoles = ['exchange-not-customized', 'exchange-customization'];

it.each(faults.filter(({ name }) => !ofRoles.includes(name)))('$name', async ({ name, sees }) => {
  await m.ready('setup --sandbox --yes --no-test');
  const command = changes.includes(name) ? 'apply' : 'show';
  const ran = await m.mailauth(`exchange ${command} --sandbox --yes --json --through api --fault ${name}`, hurried());
  const { error } = ran.json();
  expect(error?.code).toBe(sees);
  expect(ran.exit).toBe(sees === undefined ? 0 : catalogue[sees].exit);
  if (name === 'exchange-half-done')
    // What was changed before is not left to the person.
    expect([error?.why, ran.json().data.changed.length, error?.next]).toEqual([
      expect.stringContaining('IMAP, POP'),
      2,
      ['Connect-ExchangeOnline', expect.stringContaining('-SmtpClientAuthenticationDisabled $false')],
    ]);
  else if (command === 'apply' && name !== 'exchange-lag') expect(error?.why).toContain('Nothing was changed.');
  if (error?.exit === 6 && sees !== 'exchange-not-ready')
    expect([...(error?.next ?? []), String(error?.detail.admin ?? '')].join()).toMatch(/Set-CASMailbox|--through print/);
});
