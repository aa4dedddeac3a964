import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Terminal, terminals } from './rigs/tmux.ts';
import { anotherWay, answer, choose, endsClean, escaped, torn } from './rigs/typist.ts';

/** Esc goes back one question, at every question; answers can be changed at the summary; keys typed early answer nothing. */
const mailbox = 'helpdesk@contoso.example';

const { home, open: terminal } = terminals({ browser: true });

/** The question that waits: the last line that begins with a question mark, with what stands behind it. */
const waiting = (text: string): { readonly question: string; readonly rest: string } | undefined => {
  const [, question = '', rest = ''] = /^\? ([^?]*\?)(.*)$/m.exec(text.slice(text.lastIndexOf('\n? ') + 1)) ?? [];
  return question === '' || /^✔ What next\?/m.test(text) ? undefined : { question, rest };
};

/** What is typed where nothing is filled in yet; Enter takes the default everywhere else. */
const typed: Readonly<Record<string, string>> = {
  'Which mailbox?': mailbox,
  'Callback Endpoint of osTicket?': 'https://help.contoso.example/api/auth/oauth2',
  'Redirect URI of SupportPal?': 'https://help.contoso.example/callback',
};

/** Answers every question until the summary. At each that has one before it Esc is pressed once: that one comes back with its answer. */
async function backAndForth(t: Terminal, product: string): Promise<readonly string[]> {
  const order: string[] = [];
  for (;;) {
    const shown = await t.until(/(?:^|\n)\? [^?]*\?[^\n]*/);
    const now = waiting(shown);
    if (now === undefined) continue;
    const { question } = now;
    const isNew = !order.includes(question);
    const before = order.at(-1);
    if (isNew) order.push(question);
    if (isNew && before !== undefined) {
      await t.press('Escape');
      await t.until(new RegExp(`(?:^|\\n)\\? ${escaped(before)}[^\\n]*(?:\\n(?!✔)[^\\n]*)*$`));
      await t.press('Enter');
      await t.until(new RegExp(`(?:^|\\n)\\? ${escaped(question)}[^\\n]*(?:\\n(?!✔)[^\\n]*)*$`));
    }
    if (question === 'Create it?') return order;
    if (question === 'What is this mailbox for?') await choose(t, question, product);
    else {
      if (isNew && typed[question] !== undefined) await t.type(typed[question]);
      await t.press('Enter');
      await t.until(new RegExp(`✔ ${escaped(question)}[\\s\\S]*\\n\\? `));
    }
  }
}

describe('Esc at every question of', () => {
  const opener = 'Who opens this mailbox?';
  it.each([
    ['This computer', 44, [opener]],
    ['osTicket', 80, [opener, 'Callback Endpoint of osTicket?']],
    ['SupportPal', 120, [opener, 'Redirect URI of SupportPal?']],
    ['Kaseya BMS', 80, [opener]],
    ['MSPbots', 44, [opener]],
  ] as const)('%s, at %i columns', async (product, columns, questions) => {
    const t = await terminal(['setup', '--sandbox'], { columns });
    expect(await backAndForth(t, product)).toEqual(['Which mailbox?', 'What is this mailbox for?', ...questions, 'Create it?']);
    expect((await torn(t)).filter((line) => !/\/sandbox\/|[\da-f]{8}-|https?:\/\//.test(line))).toEqual([]);
    await answer(t, 'Create it?');
    await t.until(/is set up/);
    if (product !== 'This computer') await choose(t, 'What next?', 'It works');
    await endsClean(t, 0);
    expect(await readdir(join(home().path, 'sandbox', 'mailboxes'))).toHaveLength(1);
    expect(await readdir(join(home().path, 'sandbox', 'setups'))).toEqual([]);
  });
});

describe('the summary', () => {
  it('an answer is changed, and Esc leaves it as it was; another mailbox leaves nothing behind', async () => {
    const t = await terminal(['setup', '--sandbox', '--for', 'this-computer']);
    await answer(t, 'Which mailbox?', 'helpdesk@contoso.exampl');
    await t.until('✖ ');
    await choose(t, 'What now?', 'Change the address');
    await t.until('? Which mailbox? helpdesk@contoso.exampl');
    await t.type('e');
    await t.press('Enter');
    await answer(t, 'Who opens this mailbox?');
    await choose(t, 'Create it?', 'Change an answer');
    await choose(t, 'Which answer?', 'Name of the app');
    await t.until('mailauth this-computer helpdesk@contoso.example');
    await t.press('Escape');
    await t.until(/app "mailauth this-computer helpdesk@contoso\.example"[\s\S]*app "mailauth this-computer[\s\S]*\? Create it\?/);
    await choose(t, 'Create it?', 'Change an answer');
    await choose(t, 'Which answer?', 'Mailbox');
    await t.until('? Which mailbox? helpdesk@contoso.example');
    await t.press('C-u');
    await t.type('ada@contoso.example');
    await t.press('Enter');
    await t.until(/ada@contoso\.example for this computer[\s\S]*\? Create it\?/);
    await answer(t, 'Create it?');
    await endsClean(t, 0);
    expect(await readdir(join(home().path, 'sandbox', 'setups'))).toEqual([]);
    expect(await readdir(join(home().path, 'sandbox', 'mailboxes'))).toEqual([expect.stringContaining('ada')]);
  });

  it('another way, the walk through the portal left at its second screen, and on there', async () => {
    const words = ['setup', '--sandbox', '--mailbox', mailbox, '--for', 'osticket', '--sign-in-as', mailbox];
    const t = await terminal([...words, '--redirect-uri', 'https://help.contoso.example/api/auth/oauth2']);
    await anotherWay(t, 'Guide me through the portal');
    await answer(t, 'Go ahead?');
    await t.until('? Application (client) ID?');
    await t.type('5a4db0c5-c0de-4a11-b0b5-c0ffee000365');
    await t.until('this is the Directory (tenant) ID');
    await t.press('C-u');
    await answer(t, 'Application (client) ID?', '77777777-5a4d-4b0c-9a11-c0ffee000002');
    await t.until(/✖ No application 77777777/);
    await choose(t, 'What now?', 'Mend the ID');
    await t.until(/\? Application \(client\) ID\? 77777777[^\n]*\s*$/);
    await t.press('C-u');
    await answer(t, 'Application (client) ID?', '22222222-5a4d-4b0c-9a11-c0ffee000002');
    await choose(t, 'Done?', 'Done, go on');
    await t.until(/Step 3 of 4[\s\S]*\? Done\?/);
    await choose(t, 'Done?', 'Stop');
    await endsClean(t, 1);
    const [, resume = ''] = /try: mailauth (setup .*--resume.*)/.exec(await t.text()) ?? [];
    const on = await terminal(resume.split(' '));
    await answer(on, 'Go ahead?');
    const screen = await on.until('? Done?');
    expect(screen).toContain('Step 3 of 4');
    expect(screen).not.toContain('Step 2 of 4');
  });
});

describe('keys that are typed while something runs', () => {
  it('do not answer the question that follows', async () => {
    const t = await terminal(['setup', '--sandbox', '--mailbox', mailbox, '--for', 'osticket', '--sign-in-as', mailbox]);
    // The sandbox takes a moment to start, and the tenant one to be found.
    await t.press('Enter', 'Enter', 'q', 'Enter');
    await t.until(/\? Callback Endpoint of osTicket\?\s*$/);
    await t.press('C-c');
    await endsClean(t, 130);
  });
});

describe('a plain terminal', () => {
  it.each([
    ['TERM', 'dumb'],
    ['MAILAUTH_PLAIN', '1'],
  ])('%s=%s: numbered questions, without a line that is drawn again, to the end', async (name, value) => {
    const t = await terminal(['setup', '--sandbox'], { columns: 60, env: { [name]: value } });
    const say = async (wanted: string | RegExp, keys: string): Promise<void> => {
      await t.until(wanted);
      await t.type(keys);
      await t.press('Enter');
    };
    await say('Which mailbox? [helpdesk@contoso.example]:', 'nobody');
    await say(/Not taken:[\s\S]*Which mailbox\?[^\n]*:\s*$/, mailbox);
    await say(/2\. osTicket[\s\S]*Number, 1 to \d \[1\] \(< goes back\):/, '<');
    await say(/goes back\): <\nWhich mailbox\? \[helpdesk@contoso\.example\]:/, '');
    await say(/(?:Number, 1 to \d[\s\S]*){2}:\s*$/, 'This computer');
    await say(/Who opens this mailbox\?\n[\s\S]*Number, 1 to 3 \[1\]/, '');
    await say(/Create it\?\n {2}1\. Yes[\s\S]*Number, 1 to 5 \[1\]/, '4');
    await say(/This creates in the tenant[\s\S]*Create it\?[\s\S]*Number, 1 to 5 \[1\][^\n]*:\s*$/, '1');
    await endsClean(t, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no cursor is moved
    expect(await t.raw()).not.toMatch(/\u001b\[[\d;]*[A-HJK]/);
  });
});
