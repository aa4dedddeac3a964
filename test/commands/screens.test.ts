// biome-ignore-all lint/suspicious/noControlCharactersInRegex: escapes are what is taken away
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acceptingBrowser } from '../support/click-through.ts';
import { type Machine, machine, person, type Scripted } from '../support/command-line.ts';

/** What a person reads from the first line to the last, product by product, 80 columns wide: test/golden/screens (npx vitest -u writes them). */
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const browser = acceptingBrowser();

/** As a terminal leaves it: a line that is drawn again stands as it was drawn last. What differs from run to run is named. */
const screenOf = (text: string, home: string): string =>
  text
    .replace(/\x1b\[A/g, '')
    .split('\n')
    .map((line) => (line.split('\r').at(-1) ?? '').replace(/\x1b\[[\d;]*[A-Za-z]/g, '').trimEnd())
    // The line of a wait and its keys, which are taken away again.
    .filter(
      (line) => !/^[\u280b\u2819\u2839\u2838\u283c\u2834\u2826\u2827\u2807\u280f\u2026] |^ {2}(?:o opens|u shows|p pastes)/.test(line),
    )
    .join('\n')
    .replaceAll(home, 'HOME')
    .replace(/[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/g, 'GUID')
    .replace(/localhost:\d+/g, 'localhost:PORT')
    .replace(/\b\d{5}\b/g, 'PORT');

const address = 'https://help.contoso.example/callback';
const asked: Readonly<Record<string, readonly Scripted[]>> = {
  'this-computer': [],
  osticket: [['Callback Endpoint of osTicket?', address]],
  supportpal: [['Redirect URI of SupportPal?', address]],
  kaseya: [],
  mspbots: [],
};

it.each(Object.entries(asked))('%s', async (product, more) => {
  const script: readonly Scripted[] = [
    ['Which mailbox?', 'helpdesk@contoso.example'],
    ['What is this mailbox for?', product],
    ['Who opens this mailbox?', 'itself'],
    ...more,
    ['Create it?', 'details'],
    ['Create it?', 'yes'],
  ];
  const { prompts, asked: questions, unasked } = person(script);
  const ran = await m.mailauth('setup --sandbox', { terminal: true, prompts, browser });
  expect([ran.exit, unasked()]).toEqual([0, []]);
  const screen = `Asked: ${questions.join(' · ')}\n\n${screenOf(ran.err, m.home)}${screenOf(ran.out, m.home)}`;
  await expect(screen).toMatchFileSnapshot(`../golden/screens/${product}.txt`);
});
