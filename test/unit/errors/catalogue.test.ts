import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Exit } from '../../../src/core/exit.ts';
import { fold } from '../../../src/core/fold.ts';
import { namedCloud } from '../../../src/entra/clouds.ts';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { squeezed } from '../../../src/errors/says.ts';

/** Every blank that any entry has, filled as it could be. */
const sample: Readonly<Record<string, unknown>> = {
  account: 'ada@contoso.com',
  aadsts: 50_000,
  again: 'mailauth login helpdesk@contoso.com',
  ahead: true,
  audience: 'https://graph.microsoft.com',
  budgetMs: 90_000,
  certificate: { sha1: 'A'.repeat(40), sha256: 'B'.repeat(64) },
  candidates: ['ada@contoso.com', 'bob@contoso.com'],
  clientId: '11111111-2222-3333-4444-555555555555',
  cloud: namedCloud('public'),
  code: '550',
  command: 'mailauth token get',
  domain: 'contoso.com',
  endpoint: 'https://login.microsoftonline.com/common/oauth2/authorize',
  error: 'invalid_grant',
  example: 'mailauth setup --mailbox helpdesk@contoso.com',
  expiredAt: '2026-11-21T23:40:00Z',
  failed: ['imap (refused)', 'smtp (refused)'],
  file: '/home/ada/.config/mailauth/mailboxes/helpdesk.json',
  fix: 'mailauth login --force helpdesk@contoso.com',
  flag: '--client-id',
  folder: '/home/ada/.config/mailauth/sandbox',
  for: 'this-computer',
  guide: 'custom',
  guides: ['this-computer', 'custom'],
  help: 'mailauth --help',
  home: '/home/ada/.config/mailauth',
  host: 'outlook.office365.com',
  instead: 'mailauth setup --register portal',
  issuer: 'Contoso Proxy CA',
  known: ['ada@contoso.com'],
  label: 'Secret Service',
  login: 'https://login.microsoftonline.com',
  lines: ['helpdesk@contoso.com: 3 days left'],
  mailbox: 'helpdesk@contoso.com',
  message: 'unknown option',
  missing: ['IMAP.AccessAsUser.All'],
  next: 'mailauth setup --help',
  other: 'usgov',
  port: 993,
  protocol: 'imap',
  proxy: 'http://proxy:3128',
  purpose: 'the mail server',
  question: 'Application (client) ID?',
  reason: 'EACCES',
  redirectUri: 'http://localhost',
  retryAfter: 5,
  said: 'Something went wrong.',
  scope: 'IMAP.AccessAsUser.All',
  scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'],
  seconds: 600,
  sendTo: 'ada@contoso.com',
  signInAs: 'ada@contoso.com',
  source: 'standard input',
  stage: 'auth',
  status: 407,
  suggestion: 'status',
  tenant: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  tenantId: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  timeoutMs: 20_000,
  tokenLength: 2000,
  tokenLooksRight: true,
  tokenUser: 'ada@contoso.com',
  url: 'https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration',
  uri: 'https://helpdesk.contoso.com/cb',
  user: 'helpdesk@contoso.com',
  value: 'nonsense',
  waitMs: 5000,
  wanted: '6a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  what: 'cloud',
  why: 'it is empty',
  word: 'stauts',
};

/** Where a blank's name means something else. */
const others: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'cloud-unknown': { cloud: 'mars', known: ['public', 'usgov'] },
  'tenant-other-cloud': { cloud: 'usgov' },
  'resume-choice': { candidates: [{ mailbox: 'ada@contoso.com', for: 'osticket' }] },
};

/** The sample; a blank that it lacks reads as a list of one word, which is a word in a sentence as well. */
function blanksOf(code: string): unknown {
  return new Proxy({ ...sample, ...others[code] } as Readonly<Record<string, unknown>>, {
    get: (target, name) => (typeof name === 'string' ? (target[name] ?? ['sample']) : undefined),
  });
}

const entries = Object.entries(catalogue as unknown as Readonly<Record<string, Entry<unknown>>>);

describe('every entry of the catalogue', () => {
  it.each(entries)('%s: what, why, what to do, exit', (code, entry) => {
    const v = blanksOf(code);
    expect(code).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
    expect(Object.values(Exit).filter((exit) => exit !== 0)).toContain(entry.exit);
    const [title, why, next, admin] = [entry.title(v), entry.why?.(v), entry.next(v), entry.admin?.(v)];
    expect(title).toMatch(/\S{2}/);
    expect(title).not.toMatch(/[.!]$/);
    expect(next.length).toBeGreaterThan(0);
    // The terminal puts "or:" before all but the first.
    for (const line of next.map(String)) expect(line).not.toMatch(/^or\b/i);
    for (const line of [title, ...(why === undefined ? [] : [why]), ...next, ...(admin === undefined ? [] : [admin])].map(String)) {
      expect(line).not.toMatch(/undefined|NaN|\[object|\n/);
      // Addresses, PowerShell and shell lines are as long as they are.
      const words = line
        .replace(/https:\/\/\S+/g, 'URL')
        .replace(/bash -c '[^']*'/, 'bash')
        .replaceAll(String(sample.file), 'FILE');
      if (line !== String(admin)) expect(words.length, line).toBeLessThanOrEqual(160);
    }
  });

  it('is in the catalogue itself: no file is left out, and no spread covers another entry of the same code', async () => {
    const folder = new URL('../../../src/errors/catalogue/', import.meta.url);
    const found: string[] = [];
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const module: Readonly<Record<string, unknown>> = await import(new URL(name, folder).href);
      for (const [group, members] of Object.entries(module)) {
        if (!group.endsWith('Entries') || typeof members !== 'object' || members === null) continue;
        for (const [code, entry] of Object.entries(members)) {
          found.push(code);
          expect((catalogue as Readonly<Record<string, unknown>>)[code] === entry, `${code} of ${name}`).toBe(true);
        }
      }
    }
    expect([...new Set(found)].sort()).toEqual(Object.keys(catalogue).sort());
  });

  it('has each AADSTS number once', () => {
    const numbers = entries.flatMap(([, entry]) => entry.aadsts ?? []);
    expect(numbers.filter((n, i) => numbers.indexOf(n) !== i)).toEqual([]);
  });

  it.each(entries)('%s: says where it is known from, in one line', (_, entry) => {
    expect(entry.source).toMatch(/^(?:https:\/\/[\w.-]+\/\S*(?:,? .*)?|RFC \d{4}\b.*|\S+ .*)$/);
    expect(entry.source).not.toMatch(/\n|microsoft\.md|^(?:www|learn|support)\./);
  });

  it.each(entries)('%s: its links are whole, and its prose fits a terminal when folded', (code, entry) => {
    const v = blanksOf(code);
    const lines = [entry.title(v), entry.why?.(v) ?? '', ...entry.next(v), entry.admin?.(v) ?? ''].map(String);
    for (const link of lines.join('\n').match(/https?:\/\/[^\s'")]+/g) ?? []) {
      // `http://proxy:port` stands for an address of the reader's own
      if (!/…|:port/.test(link)) expect(URL.canParse(link), link).toBe(true);
    }
    const prose = [lines[0], lines[1]].map((line) => (line ?? '').replace(/https:\/\/\S+|\/\S{20,}|[0-9a-f-]{36}/g, 'X'));
    for (const line of prose) for (const row of fold(line, 80, 2).split('\n')) expect(row.length, row).toBeLessThanOrEqual(80);
  });

  it('has each sign once, long enough to mean something', () => {
    const signs = entries.flatMap(([, { codes = [], says = [], hints = [] }]) => [
      ...codes,
      ...says.map((one) => (typeof one === 'string' ? one : one.words)),
      ...hints,
    ]);
    const letters = signs.map(squeezed);
    expect(letters.filter((one, i) => letters.indexOf(one) !== i)).toEqual([]);
    expect(letters.filter((one) => one.length < 3)).toEqual([]);
  });
});
