import { afterEach, expect, it } from 'vitest';
import { namedCloud } from '../../src/core/cloud.ts';
import { allShown } from '../../src/core/shown.ts';
import type { ProblemCode } from '../../src/errors/problem.ts';
import { explained } from '../../src/explain/fill.ts';
import { sandboxFaults } from '../../src/sandbox/faults/faults.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { firstCommand, followFirst, inHome, lastOf } from '../support/follow.ts';
import { posix } from '../support/next.ts';

/** Every failure that the sandbox can cause, and the first command that each error prints, as it stands. */
const mailbox = 'helpdesk@contoso.example';
const signedIn = 'setup --sandbox --yes --no-test --register existing';
const begins: Readonly<Record<string, { readonly ready?: string; readonly begin: string }>> = {
  token: { ready: signedIn, begin: `token get ${mailbox} --sandbox --force-refresh` },
  imap: { ready: signedIn, begin: `test imap ${mailbox} --sandbox` },
  pop: { ready: signedIn, begin: `test pop ${mailbox} --sandbox` },
  smtp: { ready: signedIn, begin: `test smtp ${mailbox} --sandbox` },
  connection: { ready: signedIn, begin: `test ${mailbox} --sandbox` },
  'sign-in': { begin: `setup --mailbox ${mailbox} --sandbox --register existing --no-test` },
  device: { begin: `setup --mailbox ${mailbox} --sandbox --register existing --no-test --sign-in device` },
  graph: { begin: `setup --mailbox ${mailbox} --sandbox --for osticket --redirect-uri https://help.contoso.example/cb` },
};

let pc: Machine | undefined;
afterEach(() => pc?.end());

/** What an error prints first, as it stands in the catalogue. */
const firstOf = (code: ProblemCode): string | undefined =>
  allShown(explained(code, {}, { cloud: namedCloud('public') })?.error.next ?? [], posix).find((line) => line.includes('mailauth '));

/** `npm run test:real` walks all of them; here one for each command that an area leads to first, of the areas where that is quick. */
const all = process.env.MAILAUTH_TEST_ALL === '1';
const quick = ['token', 'imap', 'pop', 'smtp'];
const seen = new Set<string>();
const some = sandboxFaults.filter(({ area, sees }) => {
  const kind = `${area} ${sees === undefined ? '' : firstOf(sees)}`;
  const isFirst = !seen.has(kind);
  seen.add(kind);
  return sees !== undefined && area in begins && (all || (isFirst && quick.includes(area) && sees !== 'mail-stage-timeout'));
});

it.each(some.map(({ name, area }) => [name, area] as const))('%s', async (name, area) => {
  pc = await machine();
  const { ready, begin } = begins[area] ?? { begin: '' };
  if (ready !== undefined) await pc.ready(ready);
  const { complaints, steps } = await followFirst(pc, begin, name);
  expect(complaints, steps.map(({ words, error, exit }) => `${words.join(' ')} → ${exit} ${error?.code}`).join('\n')).toEqual([]);
});

/** Every ending of the wizard that needs no person, and the first command that it names. */
it.each([
  `setup --mailbox ${mailbox} --sandbox`,
  `setup --mailbox ${mailbox} --sandbox --for osticket --redirect-uri https://help.contoso.example/cb`,
  `setup --mailbox ${mailbox} --sandbox --for custom --redirect-uri https://help.contoso.example/cb --sign-in skip`,
  `setup --mailbox ${mailbox} --sandbox --register handoff`,
  `setup --mailbox ${mailbox} --sandbox --sign-in skip`,
])('%s: the next command is accepted', async (words) => {
  pc = await machine();
  const ended = lastOf((await pc.mailauth(`${words} --yes --json --no-test`)).out);
  expect(ended.error).toBeUndefined();
  const next = firstCommand(ended.data.next ?? []);
  expect(next).toEqual(expect.arrayContaining(['--sandbox', mailbox]));
  const { run, ...here } = pc;
  const then = await run([...(next ?? []).map((word) => inHome(word, here)), '--yes', '--json']);
  expect([0, 3], `${next?.join(' ')}: ${then.out}`).toContain(then.exit);
});
