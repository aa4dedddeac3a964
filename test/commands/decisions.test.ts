import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptingBrowser } from '../support/click-through.ts';
import { type Machine, machine, person, type Scripted } from '../support/command-line.ts';
import { countOf } from '../support/tenant.ts';

/** What a person types or decides, question by question, beside the steps of the product's own guide (README, "The products"). */
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const first = (product: string): readonly Scripted[] => [
  ['Which mailbox?', 'helpdesk@contoso.example'],
  ['What is this mailbox for?', product],
];
const address: Scripted = ['Callback Endpoint of osTicket?', 'https://help.contoso.example/api/auth/oauth2'];
const create: Scripted = ['Create it?', 'yes'];
const browser = acceptingBrowser();

async function interactive(script: readonly Scripted[], words = 'setup --sandbox') {
  const { prompts, asked, unasked } = person(script);
  const ran = await m.mailauth(words, { terminal: true, prompts, browser });
  expect(unasked()).toEqual([]);
  return { ...ran, asked };
}

describe('the whole set-up, question by question', () => {
  it('osTicket: five things, and the app is made', async () => {
    const ran = await interactive([...first('osticket'), address, create]);
    expect([ran.exit, ran.asked.length, ran.exit === 0 ? '' : ran.err]).toEqual([0, 5, '']);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1 });
  });

  it('where the product shows its own address, its screen is said before the question', async () => {
    const { err } = await interactive([...first('osticket'), address, ['Create it?', 'stop']]);
    expect(err).toMatch(/Copy the Callback Endpoint from osTicket\s+osTicket: Admin Panel > Emails/);
    expect(err).toContain('Copy "Callback Endpoint" from the top of the popup');
    expect(err).toContain('--variant older-plugin');
  });
});

describe('another answer than Yes', () => {
  it('Stop: nothing was changed, exit 1, and the command that goes on', async () => {
    const ran = await interactive([...first('kaseya'), ['Create it?', 'stop']]);
    expect(ran.err).toMatch(
      /Your answers are kept[\s\S]*try: \S*mailauth setup --mailbox helpdesk@contoso.example --for kaseya --resume --sandbox/,
    );
    expect([ran.exit, await countOf(m)]).toEqual([1, { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 }]);
  });

  it('another way leads to the portal, to an administrator elsewhere, and to an app that is there', async () => {
    const way = (name: string): readonly Scripted[] => [
      ['Create it?', 'another'],
      ['Which way?', name],
    ];
    const go: Scripted = ['Go ahead?', 'yes'];
    const handed = await interactive([...first('kaseya'), ...way('handoff'), go]);
    expect([handed.exit, handed.out]).toEqual([0, expect.stringContaining('waits for an administrator')]);
    const id: Scripted = ['Application (client) ID?', '11111111-5a4d-4b0c-9a11-c0ffee000001'];
    const existing = await interactive([...first('kaseya'), ...way('existing'), id, go], 'setup --sandbox --fresh');
    expect([existing.exit, existing.out]).toEqual([0, expect.stringContaining('is set up; no sign-in on this computer')]);
    const other: readonly Scripted[] = [['Which mailbox?', 'other@contoso.example'], ...first('kaseya').slice(1)];
    const done = [1, 2, 3].map((): Scripted => ['Done?', 'done']);
    const portal = await interactive([...other, ...way('portal'), go, id, ...done]);
    expect([portal.exit, portal.err]).toEqual([0, expect.stringMatching(/Step 4 of 4/)]);
    expect(await countOf(m)).toMatchObject({ apps: 0 });
  });

  it('ends it where the way was named', async () => {
    expect((await interactive([...first('kaseya'), ['Create it?', 'stop']], 'setup --sandbox --register auto')).exit).toBe(1);
  });
});
