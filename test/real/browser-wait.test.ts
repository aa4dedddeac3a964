import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newHome } from './rigs/chromium.ts';
import { clickThrough, openTerminal, type Terminal } from './rigs/tmux.ts';
import { answer, endsClean, torn } from './rigs/typist.ts';

/** The browser is waited for in a real terminal: what moves, what keys do, and what is left behind. */
const mailbox = 'helpdesk@contoso.example';
const setUp = [
  'setup',
  '--sandbox',
  '--mailbox',
  mailbox,
  '--for',
  'this-computer',
  '--sign-in-as',
  mailbox,
  '--client-id',
  '11111111-5a4d-4b0c-9a11-c0ffee000001',
];
const waiting = /Waiting for( you in the browser)?.* · 0:0\d of 10:00/;
const addressIn = (text: string) => /http:\/\/localhost:\d+\S+oauth2\/v2\.0\/authorize\?\S+/.exec(text)?.[0] ?? '';

let home: Awaited<ReturnType<typeof newHome>>;
const terminals: Terminal[] = [];
let opened = '';

beforeEach(async () => {
  home = await newHome();
  opened = join(home.path, 'opened');
  // A browser that opens, in which nobody does anything yet; it notes where it was sent.
  await writeFile(
    join(home.path, 'browser.mjs'),
    `import { appendFileSync } from 'node:fs';\nappendFileSync('${opened}', process.argv[2] + '\\n');\n`,
  );
});
afterEach(async () => {
  await Promise.all(terminals.splice(0).map((terminal) => terminal.close()));
  await home.remove();
});

async function waitingTerminal(
  more: { env?: Record<string, string>; columns?: number; flags?: readonly string[] } = {},
): Promise<Terminal> {
  const env = { ...home.env, BROWSER: `${process.execPath} ${join(home.path, 'browser.mjs')}`, ...more.env };
  const t = await openTerminal([...setUp, ...(more.flags ?? [])], { folder: home.path, columns: more.columns ?? 80, env });
  terminals.push(t);
  if (more.env?.MAILAUTH_PLAIN === undefined) await answer(t, 'Go ahead?');
  else {
    await t.until(/Go ahead\?[\s\S]*Number, 1 to 5/);
    await t.press('Enter');
  }
  return t;
}

const openedBy = async () => (await readFile(opened, 'utf8')).trim().split('\n');

describe('while the browser is waited for', () => {
  it('time and limit move, keys work at once, and the line is gone when it is over', async () => {
    const t = await waitingTerminal();
    const before = await t.until(/0:02 of 10:00/);
    expect(before).toContain(`✔ Opened your browser. Sign in there as ${mailbox}.`);
    expect(before).toMatch(/\n {2}o opens it again · u shows the address · p pastes another computer's answer$/);
    expect(addressIn(before)).toBe('');

    await t.type('o');
    await expect.poll(async () => (await openedBy()).length, { timeout: 5000 }).toBe(2);
    const [first = '', second] = await openedBy();
    expect(second).toBe(first);

    await t.type('u');
    expect(addressIn(await t.until(/oauth2\/v2\.0\/authorize\?[\s\S]*p pastes/))).toBe(first);

    await t.type('p');
    await t.until('? Paste the address (Esc waits for the browser again):');
    await t.press('Escape');
    await t.until(/Waiting for you in the browser · .*\n.*p pastes another computer's answer$/);

    await (await fetch(await clickThrough(first))).text();
    await endsClean(t, 0);
    const after = await t.text();
    expect(after).not.toMatch(/Waiting for you|opens it again|asking Microsoft/);
    expect(after).toContain(`✔ Signed in as ${mailbox}`);
  });

  it('the answer of another computer can be pasted', async () => {
    const t = await waitingTerminal();
    await t.until(waiting);
    await t.type('p');
    await t.until('? Paste the address');
    await t.paste(await clickThrough((await openedBy())[0] ?? ''));
    await t.press('Enter');
    await endsClean(t, 0);
  });

  it('what is typed does not answer the next question', async () => {
    const t = await waitingTerminal();
    await t.until(waiting);
    await t.type('yyn');
    await t.press('Enter', 'Enter', 'Up', 'Enter');
    await t.paste('http://localhost:1/?code=x');
    const [address = ''] = await openedBy();
    // Somebody else signs in, so the next thing is a question.
    const asAda = new URL(address);
    asAda.searchParams.set('login_hint', 'ada@contoso.example');
    await (await fetch(await clickThrough(asAda.href))).text();
    await t.until(/\n\? What now\?\n❯ Sign in again/);
    await sleep(500);
    expect(await t.text()).not.toContain('✔ What now?');
    expect(await openedBy()).toHaveLength(1);
    expect(await t.text()).not.toMatch(/yyn|code=x/);
  });

  it.each([44, 120])('nothing is torn at %i columns', async (columns) => {
    const t = await waitingTerminal({ columns });
    await t.until(waiting);
    const tail = (await t.seen()).split('\n').slice(-6).join('\n');
    expect(tail).toMatch(/Opened your browser/);
    expect(tail).toMatch(/p pastes another computer's answer/);
    expect((await torn(t)).filter((line) => tail.includes(line.slice(0, 20)) && !waiting.test(line))).toEqual([]);
  });

  it('a terminal that becomes narrower and wider again has one line of the wait', async () => {
    const t = await waitingTerminal();
    await t.until(waiting);
    for (const columns of [50, 42, 100, 60]) {
      await t.resize(columns);
      await sleep(700);
    }
    const text = await t.text();
    expect(text.match(/of 10:00/g)).toHaveLength(1);
    expect(text.match(/o opens it again/g)).toHaveLength(1);
    expect(text).toContain('✔ Opened your browser.');
  });

  it.each([{ MAILAUTH_PLAIN: '1' }])('%o: the address at once, nothing is redrawn, no keys', async (env) => {
    const t = await waitingTerminal({ env });
    await t.until(/Waiting for the sign-in in your browser \(Ctrl-C stops\) \(0:01 of 10:00\)/);
    const text = await t.text();
    expect(addressIn(text)).not.toBe('');
    expect(text).not.toContain('opens it again');
    await sleep(1500);
    expect(await t.text()).toBe(text);
  });
});

it('a device code is waited for with its own limit, and Ctrl-D ends it', async () => {
  const t = await waitingTerminal({ flags: ['--sign-in', 'device'] });
  expect(await t.until(/Waiting for the sign-in with this code · 0:02 of \d+:\d\d/)).toMatch(/The code is valid until .*15 minutes/);
  await t.type('opu');
  await t.press('C-d');
  await endsClean(t, 130);
  expect(await t.text()).not.toMatch(/opu|Waiting for the sign-in/);
});
