import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailauthError, SysExit } from '../../src/core/errors.ts';
import { catalogue } from '../../src/errors/catalogue/catalogue.ts';
import type { ProblemCode } from '../../src/errors/problem.ts';
import type { FaultArea } from '../../src/sandbox/faults/fault.ts';
import { sandboxFaults } from '../../src/sandbox/faults/faults.ts';
import { claimFaults } from '../../src/sandbox/faults/faults-token.ts';
import { asSysExit } from '../../src/sending/sysexits.ts';
import { type Machine, machine, type Ran } from '../support/command-line.ts';

/**
 * Every fault of the token endpoint, the mail servers and the connection, each over real sockets, against one mailbox that is set up.
 * Each command opens a sandbox of its own, and a mail test changes nothing, so those run side by side as commands of several people do.
 */
let pc: Machine;
beforeAll(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes --no-test --register existing');
});
afterAll(() => pc.end());

const of = (area: FaultArea) => sandboxFaults.filter((fault) => fault.area === area);
const expected = (fault: { readonly sees?: ProblemCode }) => ({
  code: fault.sees,
  exit: fault.sees === undefined ? 0 : catalogue[fault.sees].exit,
});
const sysexit = ({ code = '', exit }: Pick<ReturnType<typeof expected>, 'exit'> & { readonly code?: string | undefined }) =>
  asSysExit(new MailauthError({ title: '', next: [], code, exit }));
const seen = (ran: Ran) => ({ code: ran.json().error?.code, exit: ran.exit });
const cases = (area: FaultArea) => of(area).map((fault) => [fault.name, fault] as const);

describe('the token endpoint', () => {
  const claims: readonly string[] = claimFaults.map((fault) => fault.name);
  const refusing = cases('token').filter(([name]) => !claims.includes(name) && name !== 'secret-expired');
  // Refused with invalid_grant: whatever the number, a refresh then needs a new sign-in.
  const grants: readonly string[] = [
    ...['account-not-assigned', 'account-locked', 'password-wrong', 'password-agent', 'security-defaults', 'consent-needed'],
  ];
  // A policy that stops a working mailbox needs its person to sign in again.
  const wantsSignIn: readonly string[] = ['policy-blocked', 'device-required'];
  it.each(refusing)('%s', async (name, fault) => {
    const ran = await pc.mailauth(`token get --sandbox --force-refresh --json --fault ${name}`);
    if (wantsSignIn.includes(name)) expect(seen(ran)).toEqual({ code: 'refresh-policy', exit: 4 });
    // For a mailbox that worked, a web page comes from the network between, and a later try may succeed.
    else
      expect(seen(ran)).toEqual({
        ...expected(fault),
        ...(name === 'token-page' ? { exit: 5 } : grants.includes(name) ? { exit: 4 } : {}),
      });
  });

  it.each(claimFaults.map((fault) => [fault.name, fault] as const))('%s: the token is issued, and IMAP refuses it', async (name, fault) => {
    expect((await pc.mailauth(`token get --sandbox --force-refresh --json --fault ${name}`)).exit).toBe(0);
    const ran = await pc.mailauth('test imap --sandbox --json');
    await pc.mailauth('token get --sandbox --force-refresh');
    expect(seen(ran)).toEqual(expected(fault));
  });
});

describe('mail', () => {
  it.concurrent.each([...cases('imap'), ...cases('pop'), ...cases('smtp')])('%s', async (name, fault) => {
    const more = name === 'smtp-recipient-refused' ? ' --send-to nobody@contoso.example' : '';
    const ran = await pc.mailauth(
      `test ${fault.area} --sandbox --json --fault ${name}${more}${fault.sees === 'mail-stage-timeout' ? ' --timeout 1' : ''}`,
    );
    expect(seen(ran)).toEqual(expected(fault));
  });
});

describe('sending', () => {
  let sender: Machine;
  beforeAll(async () => {
    sender = await machine();
    await sender.ready('setup --sandbox --yes --no-test --protocols smtp,graph-send --register existing --consent user');
  });
  afterAll(() => sender.end());

  it.concurrent.each(cases('send'))('%s', async (name, fault) => {
    const message = {
      isTerminal: false,
      async *pieces() {},
      bytes: async function* () {
        yield Buffer.from('Subject: x\n\nx\n');
      },
    };
    const ran = await sender.mailauth(
      `send nobody@contoso.example ada@contoso.example --sandbox --json --fault ${name}${name.startsWith('graph-') ? ' --via graph' : ''}`,
      {
        longInput: message,
      },
    );
    // The message itself is at fault (RFC 3463: 5.6.x).
    const exit = name === 'smtp-message-refused' ? SysExit.data : sysexit(expected(fault)).exit;
    expect(seen(ran)).toEqual({ code: fault.sees, exit });
  });
});

describe('the connection', () => {
  const mail = cases('connection').filter(([name]) => name.startsWith('mail-'));
  const login = cases('connection').filter(([name]) => name.startsWith('login-'));
  const each = mail.flatMap(([name, fault]) => ['imap', 'pop', 'smtp'].map((protocol) => [name, protocol, fault] as const));

  // SMTP always begins without TLS.
  it.concurrent.each(each.filter(([name, protocol]) => !(name === 'mail-tls-failed' && protocol === 'smtp')))(
    '%s: %s',
    async (name, protocol, fault) => {
      const ran = await pc.mailauth(`test ${protocol} --sandbox --json --fault ${name}${name === 'mail-mute' ? ' --timeout 1' : ''}`);
      expect(seen(ran)).toEqual(expected(fault));
    },
  );

  it.each(login)('%s', async (name, fault) => {
    const ran = await pc.mailauth(
      `token get --sandbox --force-refresh --json --fault ${name}${name === 'login-mute' ? ' --timeout 1' : ''}`,
    );
    expect(seen(ran)).toEqual(expected(fault));
  });
});
