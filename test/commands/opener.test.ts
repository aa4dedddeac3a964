import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mailboxSlug } from '../../src/store/mailbox-file.ts';
import { clickThrough } from '../support/click-through.ts';
import { enter, type How, type Machine, machine, person, type Scripted, whoOpens } from '../support/command-line.ts';
import { countOf } from '../support/tenant.ts';

/** Who opens the mailbox: its own account, or that of a person with Full Access to it. */
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const own = 'helpdesk@contoso.example';
const shared = 'shared@contoso.example';
const alias = 'sales@contoso.example';
const ada = 'ada@contoso.example';
const whose = 'Whose account opens it?';
const create: Scripted = ['Create it?', 'yes'];

/** `as`: who signs in for the mailbox, where it is not the account of the hint. */
function browser(as?: string): NonNullable<How['browser']> {
  return {
    usable: true,
    async open(url) {
      const isAdministrator = new URL(url).searchParams.get('scope')?.includes('/graph') === true;
      void clickThrough(url, isAdministrator ? undefined : as).then((back) => fetch(back));
      return { kind: 'opened' };
    },
  };
}

async function asked(words: string, script: readonly Scripted[], more: How = {}) {
  const { prompts, asked: questions, unasked } = person(script);
  const ran = await m.mailauth(words, { terminal: true, prompts, browser: browser(), ...more });
  expect(unasked()).toEqual([]);
  return { ...ran, questions };
}

const recordOf = async (mailbox: string) => {
  const file = `${mailboxSlug({ mailbox, for: 'this-computer' })}.json`;
  return JSON.parse(await readFile(join(m.home, 'sandbox', 'mailboxes', file), 'utf8'));
};

const setup = (mailbox: string, product = 'this-computer') => `setup --sandbox --mailbox ${mailbox} --for ${product}`;

describe('who opens this mailbox?', () => {
  it('its own account, which Enter answers', async () => {
    const ran = await asked(setup(own), [[whoOpens, enter], create]);
    expect([ran.exit, ran.questions]).toEqual([0, [whoOpens, 'Create it?']]);
    expect(await recordOf(own)).not.toHaveProperty('signInAs');
  });

  it('a delegate: the summary, the sign-in and the tests are about that person', async () => {
    const ran = await asked(setup(shared), [[whoOpens, 'delegate'], [whose, ada], create]);
    expect([ran.exit, ran.exit === 0 ? '' : ran.err]).toEqual([0, '']);
    expect(ran.err).toContain(`Sign in there as ${ada}, who has Full Access`);
    expect(await recordOf(shared)).toMatchObject({ signInAs: ada, account: { username: ada } });
  });

  it('a delegate of a product: the sheet names the person where its sign-in is', async () => {
    const url = '--redirect-uri https://help.contoso.example/api/auth/oauth2';
    const ran = await asked(`${setup(shared, 'osticket')} ${url} --handover ${join(m.home, 'sheet.md')}`, [
      [whoOpens, 'delegate'],
      [whose, ada],
      create,
    ]);
    expect(ran.exit).toBe(0);
    expect(await readFile(join(m.home, 'sheet.md'), 'utf8')).toContain(`Sign in as ${ada}, who has Full Access to ${shared}`);
  });

  it.each([
    ['the flag', `${setup(shared)} --sign-in-as ${ada}`],
    ['the flag, also where it names the mailbox itself', `${setup(own)} --sign-in-as ${own}`],
  ])('%s answers it', async (_, words) => {
    expect((await asked(words, [create])).questions).toEqual(['Create it?']);
  });

  it('without a person it is not asked: the mailbox opens itself', async () => {
    const ran = await m.mailauth(`${setup(own)} --yes --json`);
    expect([ran.exit, await recordOf(own)]).toEqual([0, expect.not.objectContaining({ signInAs: expect.anything() })]);
  });

  it('a finished set-up is not asked again', async () => {
    await m.ready(`${setup(shared)} --sign-in-as ${ada} --yes --no-test`);
    const again = await asked(setup(shared), []);
    expect([again.exit, again.exit === 0 ? again.out : again.err]).toEqual([0, expect.stringContaining('nothing was changed')]);
  });
});

describe('not sure', () => {
  const unsure: Scripted = [whoOpens, 'unsure'];

  it('a shared mailbox: Microsoft Graph tells, and the person is asked for before anything is created', async () => {
    let made: unknown;
    const script = person([unsure, create, [whose, ada]]);
    const prompts: How['prompts'] = {
      ...script.prompts,
      async text(q) {
        made = await countOf(m);
        return script.prompts.text(q);
      },
    };
    const ran = await m.mailauth(setup(shared), { terminal: true, prompts, browser: browser() });
    expect([ran.exit, script.unasked(), made]).toEqual([0, [], { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 }]);
    expect(ran.err.replace(/\s+/g, ' ')).toContain(`${shared} has no sign-in of its own (a shared mailbox or a room)`);
    expect(await recordOf(shared)).toMatchObject({ signInAs: ada, account: { username: ada } });
  });

  it('a mailbox with a sign-in of its own: nothing more is asked', async () => {
    const ran = await asked(setup(own), [unsure, create]);
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining(`${own} has a sign-in of its own`)]);
  });

  it('an alias, which Graph does not show: says so, and asks', async () => {
    const ran = await asked(setup(alias), [unsure, create, [whoOpens, 'delegate'], [whose, ada]]);
    expect([ran.exit, ran.err.replace(/\s+/g, ' ')]).toEqual([0, expect.stringContaining(`does not tell who opens ${alias}`)]);
    expect(await recordOf(alias)).toMatchObject({ signInAs: ada });
  });

  it('where no administrator signs in here: says so, and asks', async () => {
    const ran = await asked(`${setup(shared)} --register handoff`, [unsure, ['Go ahead?', 'yes'], [whoOpens, 'delegate'], [whose, ada]]);
    expect([ran.exit, ran.err.replace(/\s+/g, ' ')]).toEqual([0, expect.stringContaining('no administrator has signed in here')]);
    const handed = /Give them this folder: (\S+)/.exec(ran.out)?.[1] ?? '';
    expect(await readFile(join(handed, 'README.md'), 'utf8')).toContain(ada);
  });
});

describe('another account signs in', () => {
  it('and is right: it opens the shared mailbox, as the tests prove', async () => {
    const ran = await asked(setup(shared), [[whoOpens, 'itself'], create, ['What now?', 'accept']], { browser: browser(ada) });
    expect([ran.exit, ran.exit === 0 ? '' : ran.err]).toEqual([0, '']);
    expect(await recordOf(shared)).toMatchObject({ signInAs: ada, account: { username: ada } });
    expect((await recordOf(shared)).lastTests.every((one: { ok: boolean }) => one.ok)).toBe(true);
  });

  it('and is said to be right, which the tests refute', async () => {
    const ran = await asked(setup(own), [[whoOpens, enter], create, ['What now?', 'accept']], { browser: browser(ada) });
    expect([ran.exit === 0, ran.err]).toEqual([false, expect.stringContaining('is not allowed to open the mailbox')]);
    expect(await recordOf(own)).toMatchObject({ signInAs: ada });
  });

  it('the person signs in again, or stops', async () => {
    const seen: string[] = [];
    const wrongFirst: How['browser'] = {
      usable: true,
      async open(url) {
        const isWrong = !url.includes('graph') && seen.length === 0;
        if (!url.includes('graph')) seen.push(url);
        void clickThrough(url, isWrong ? ada : url.includes('graph') ? undefined : own).then((back) => fetch(back));
        return { kind: 'opened' };
      },
    };
    const ran = await asked(setup(own), [[whoOpens, enter], create, ['What now?', enter]], { browser: wrongFirst });
    expect([ran.exit, seen.length, seen[1]]).toEqual([0, 2, expect.stringContaining('prompt=select_account')]);
    expect(await recordOf(own)).toMatchObject({ account: { username: own } });
    const stopped = await asked(`login ${own} --sandbox --force`, [['What now?', 'stop']], { browser: browser(ada) });
    expect([stopped.exit, stopped.err]).toEqual([1, expect.stringContaining(`${ada} signed in, but the mailbox is ${own}`)]);
  });

  it('with login: the one that signed in is written down', async () => {
    await m.ready(`${setup(shared)} --sign-in-as ada@contoso.example --yes --no-test`);
    const ran = await asked(`login ${shared} --sandbox --force`, [['What now?', 'accept']], { browser: browser('grace@contoso.example') });
    expect(ran.exit).not.toBe(0);
    expect(await recordOf(shared)).toMatchObject({ signInAs: 'grace@contoso.example' });
  });

  it('in a proof, whose tokens are not kept, it cannot be said to be right', async () => {
    const url = '--redirect-uri https://help.contoso.example/api/auth/oauth2 --sign-in browser';
    const script: readonly Scripted[] = [[whoOpens, enter], create, ['What now?', 'accept']];
    await expect(asked(`${setup(own, 'osticket')} ${url}`, script, { browser: browser(ada) })).resolves.toMatchObject({
      err: expect.stringContaining('mailauth itself failed'),
    });
  });
});
