import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { entraProblem, readEntraError } from '../../../src/oauth/entra-error.ts';
import { entraError, refusalNumbers } from '../../../src/sandbox/faults/entra-refusals.ts';
import { graphRefusals } from '../../../src/sandbox/faults/faults-graph.ts';
import { imapFaults, type MailFault, popFaults } from '../../../src/sandbox/faults/faults-mail.ts';
import { smtpFaults } from '../../../src/sandbox/faults/faults-smtp.ts';
import { testContext } from '../../support/context.ts';
import { codesOf } from './texts.ts';

/** What the servers of the sandbox say means the same in a pasted text as it does to the command that hears it (test/flows runs those). */
const cloud = namedCloud('public');

/** These are decided by what was asked, or by the place in the conversation, and not by the words: a text alone cannot tell. */
const byPlace: Readonly<Record<string, string>> = {
  'imap-greeting-refused': 'a greeting',
  'pop-greeting-refused': 'a greeting',
  'smtp-greeting-refused': 'a greeting',
  'imap-protocol': 'the wrong service',
  'pop-protocol': 'the wrong service',
  'smtp-protocol': 'the wrong service',
  'imap-no-xoauth2': 'a list of capabilities',
  'pop-no-xoauth2': 'a list of capabilities',
  'smtp-no-starttls': 'a list of capabilities',
  'smtp-injection': 'what follows STARTTLS',
  'pop-no-inbox': 'POP has one sentence for many things',
  'smtp-not-accepted': 'a sentence that nobody knows',
};

describe('a reply of a mail server', () => {
  const faults: readonly MailFault[] = [...imapFaults, ...popFaults, ...smtpFaults];
  const spoken = faults.filter(({ says, name }) => says.length > 0 && byPlace[name] === undefined);
  it.each(spoken.map((fault) => [fault.name, fault] as const))('%s', async (_, { says, sees }) => {
    expect(await codesOf(says.map((line) => line.replace('TAG', 'A1')).join('\r\n'))).toEqual([sees]);
  });

  it('that only its place explains is not told as something else', async () => {
    const told: string[] = [];
    for (const { name, says } of faults.filter((fault) => byPlace[fault.name] !== undefined)) {
      const codes = await codesOf(says.map((line) => line.replace('TAG', 'A1')).join('\r\n'));
      if (codes.length > 0) told.push(`${name}: ${codes.join(' ')}`);
    }
    expect(told).toEqual(['pop-no-inbox: pop-two-lines', 'smtp-greeting-refused: mail-server-busy']);
  });
});

it.each(refusalNumbers)('a refusal of Entra: AADSTS%i', async (aadsts) => {
  const blanks = {
    resource: 'https://outlook.office365.com',
    client: '11111111-2222-3333-4444-555555555555',
    redirect: 'http://localhost',
  };
  const { json } = entraError(testContext(), cloud.login, aadsts, blanks);
  const said = readEntraError(json);
  if (said === undefined) throw new Error('not read');
  const words = { cloud, tenant: 'contoso.com', clientId: blanks.client, scopes: [] };
  const { code } = entraProblem(said, words);
  expect(await codesOf(JSON.stringify(json))).toEqual(code === 'entra-unknown' ? [] : [code]);
});

/** Graph is asked for one thing, and says no to it: the command knows more than the words. */
const byCommand = ['graph-busy', 'app-gone', 'certificates-forbidden'];

it.each(graphRefusals.filter(({ sees }) => !byCommand.includes(sees)).map((fault) => [fault.name, fault] as const))(
  'a refusal of Microsoft Graph: %s',
  async (_, fault) => {
    const { sees, code, message } = { code: undefined, message: undefined, ...fault };
    if (code === undefined) return;
    const codes = await codesOf(JSON.stringify({ error: { code, message } }));
    expect(codes).toEqual(sees === 'graph-refused' ? [] : [sees]);
  },
);
