import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/find-command.ts';
import { modules } from '../../../src/cli/modules.ts';
import { parse } from '../../../src/cli/parse.ts';
import { commands, topics } from '../../../src/cli/tree.ts';
import { namedCloud } from '../../../src/core/cloud.ts';
import { type Command, mailauth, type NextStep } from '../../../src/core/next.ts';
import { type Surroundings, shown } from '../../../src/core/shown.ts';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { firstQuestions, registrationQuestions } from '../../../src/setup/answers/questions.ts';
import { blanksOf } from '../../support/blanks.ts';
import { testContext } from '../../support/context.ts';
import { posix } from '../../support/next.ts';

const entries = Object.entries(catalogue as unknown as Readonly<Record<string, Entry<unknown>>>);

/** What a shell makes of a line, for the quoting that this program writes: its words, without a comment and what stands before the command. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  const pattern = /\s*(#.*$|(?:'[^']*'|\\.|[^\s'\\#]|(?<=\S)#)+)/gsu;
  for (const [, word = ''] of line.matchAll(pattern)) {
    if (word.startsWith('#')) break;
    words.push(word.replace(/'([^']*)'|\\(.)/gsu, (_, quoted: string | undefined, escaped: string) => quoted ?? escaped));
  }
  return words;
}

/** Lets the program itself read the command: it exists, takes each flag, and lacks nothing. */
async function readByProgram(argv: readonly string[]): Promise<void> {
  const line = argv.join(' ');
  const { words, rest } = findCommand(argv);
  if (words[0] === 'help') {
    expect(rest.length === 0 || topics.some((topic) => topic === rest[0]), line).toBe(true);
    return;
  }
  const entry = commands.find((one) => one.name === words.join(' '));
  if (entry === undefined) throw new Error(`there is no command in: ${line}`);
  await parse(entry, await modules[entry.name](), rest, testContext());
}

/** A placeholder in capitals (`FILE`, `CLIENT-ID`), or an address that goes on with dots. */
const placeholder = /^[A-Z]{3,}(?:-[A-Z]+)*(?:\.pem)?$|…|^NAME$|^https:\/\/$/;

async function check(step: NextStep, here: Surroundings): Promise<void> {
  if (typeof step === 'string') {
    // A sentence may name a command; it must not be one.
    expect(step).not.toMatch(/^mailauth |: mailauth [a-z]+ -/);
    return;
  }
  if (step.kind !== 'command') return;
  const text = shown(step, here);
  const before = new RegExp(`^(?:${step.lead === undefined ? '' : `${literal(step.lead)}: `})(?:sleep \\d+; )?(?:MAILAUTH_HOME="[^"]*" )?`);
  const words = wordsOf(text.replace(before, ''));
  const blank = words.filter((word) => placeholder.test(word));
  const once = ['--cloud', '--cloud-file', '--store', '--sandbox', '--for', '--mailbox'];
  const twice = once.filter((flag) => words.indexOf(flag) !== words.lastIndexOf(flag));
  expect([words[0], blank, twice], text).toEqual(['mailauth', [], []]);
  await readByProgram(words.slice(1));
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const running = mailauth('token get', 'helpdesk@contoso.com');
const surroundings: Readonly<Record<string, Surroundings>> = {
  'nothing in force': { ...posix, running },
  '--cloud usgov': { ...posix, running, cloud: 'usgov' },
  '--cloud-file "/tmp/x y/cloud.json"': { ...posix, running, cloudFile: '/tmp/x y/cloud.json' },
  '--store file': { ...posix, running, store: 'file' },
  '--sandbox': { ...posix, running, sandbox: true },
  '--for osticket': { ...posix, running, for: 'osticket' },
};

describe.each(Object.entries(surroundings))('every command of the catalogue, with %s', (_, here) => {
  it(
    'is one that the program takes',
    async () => {
      for (const [code, entry] of entries) {
        const steps = entry.next(blanksOf(code));
        // The first of them is to be run: nothing stands before it.
        const [first] = steps;
        if (typeof first === 'object') expect(first.lead, code).toBeUndefined();
        for (const step of steps) await check(step, here);
      }
    },
    patientMs,
  );

  it(
    'stays one with names that mean something to a shell',
    async () => {
      const hostile = `o'brien $(x) \`y\`; "z" & % \u2019 #@contoso.com`;
      for (const [code, entry] of entries) {
        const v = blanksOf(code, {
          mailbox: hostile,
          user: hostile,
          account: hostile,
          clientId: hostile,
          tenantId: hostile,
          domain: hostile,
          file: hostile,
        });
        for (const step of entry.next(v)) await check(step, here);
      }
    },
    patientMs,
  );
});

it('the questions of setup have an example that the program takes', async () => {
  for (const question of [...firstQuestions, ...registrationQuestions])
    for (const known of [{}, { mailbox: 'a@contoso.com', for: 'osticket' }]) await check(question.example(known), posix);
});

/** Hundreds of commands are parsed, some seconds on a machine with nothing else to do. */
const patientMs = 90_000;

describe('what is in force is carried', () => {
  const of = (code: string, here: Surroundings): string => {
    const first = entries.find(([name]) => name === code)?.[1].next(blanksOf(code))[0];
    return first === undefined ? '' : shown(first, here);
  };

  it.each([
    ['--cloud usgov', 'mailauth setup --mailbox helpdesk@contoso.com --cloud usgov'],
    ['--cloud-file "/tmp/x y/cloud.json"', "mailauth setup --mailbox helpdesk@contoso.com --cloud-file '/tmp/x y/cloud.json'"],
    ['--store file', 'mailauth setup --mailbox helpdesk@contoso.com --store file'],
    ['--sandbox', 'mailauth setup --mailbox helpdesk@contoso.com --sandbox'],
    ['--for osticket', 'mailauth setup --mailbox helpdesk@contoso.com --for osticket'],
  ])('%s', (name, line) => expect(of('mailbox-unknown', surroundings[name] ?? posix)).toBe(line));

  it('with a login, too', () => {
    expect(of('not-refreshable', { ...posix, cloud: 'china', store: 'file', for: 'osticket' })).toBe(
      'mailauth login helpdesk@contoso.com --force --for osticket --cloud china --store file',
    );
  });
});

it('a command about a mailbox in another cloud names that cloud', async () => {
  const v = blanksOf('tenant-unknown', { cloud: namedCloud('china') });
  const [first] = catalogue['tenant-unknown'].next(v as never);
  expect(first === undefined ? '' : shown(first, posix)).toContain('--cloud china');
});

describe('no command stands in a string', () => {
  const folder = new URL('../../../src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  // Help and its examples are prose; what other programs are handed is not said to a person.
  const prose = /^(?:cli|sandbox|main\.ts)/;
  const said = /(?:next|help|again|command|example|fix|resume|undo|instead): \(?(?:\(?\w*\)? => )?\[?['`]mailauth /;

  it.each(files.filter((name) => !prose.test(name)))('%s', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    expect(text.split('\n').filter((line) => said.test(line))).toEqual([]);
    expect(text).not.toMatch(/startsWith\('mailauth /);
  });
});

it('the command that is running is given back as it was typed', async () => {
  const given = async (line: string): Promise<Command | undefined> => {
    const { words, rest } = findCommand(line.split(' '));
    const entry = commands.find((one) => one.name === words.join(' '));
    const parsed = entry && (await parse(entry, await modules[entry.name](), rest, testContext()));
    return typeof parsed === 'object' ? parsed.given : undefined;
  };
  expect(await given('--cloud usgov test imap a@contoso.com --timeout 30 --no-input')).toEqual(
    mailauth('test', 'imap', 'a@contoso.com', { cloud: 'usgov', timeout: 30, 'no-input': true }),
  );
  // The text may hold anything, a token, too.
  expect(await given('explain eyJhbGciOi')).toEqual(mailauth('explain'));
});
