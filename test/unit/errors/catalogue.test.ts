import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Exit, SysExit } from '../../../src/core/errors.ts';
import { fold } from '../../../src/core/fold.ts';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { squeezed, wordsOfSign } from '../../../src/errors/problem.ts';
import { blanksOf, sample } from '../../support/blanks.ts';
import { adminOf, nextOf } from '../../support/next.ts';

const entries = Object.entries(catalogue as unknown as Readonly<Record<string, Entry<unknown>>>);

describe('every entry of the catalogue', () => {
  it.each(entries)('%s: what, why, what to do, exit', (code, entry) => {
    const v = blanksOf(code);
    expect(code).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
    expect([
      ...Object.values(Exit).filter((exit) => exit !== 0),
      ...(/^(?:graph-)?send-/.test(code) ? Object.values(SysExit) : []),
    ]).toContain(entry.exit);
    const [title, why, next, admin] = [
      entry.title(v),
      entry.why?.(v),
      nextOf({ next: entry.next(v) }),
      adminOf({ admin: entry.admin?.(v) }),
    ];
    expect(title).toMatch(/\S{2}/);
    expect(title).not.toMatch(/[.!]$/);
    expect(next.length).toBeGreaterThan(0);
    // The terminal puts "or:" before all but the first.
    for (const line of next) expect(line).not.toMatch(/^or\b/i);
    for (const line of [title, ...(why === undefined ? [] : [why]), ...next, admin].map(String)) {
      expect(line).not.toMatch(/undefined|NaN|\[object|\n/);
      // Addresses, PowerShell and shell lines are as long as they are.
      const words = line
        .replace(/https:\/\/\S+/g, 'URL')
        .replace(/bash -c '[^']*'/, 'bash')
        .replaceAll(String(sample.file), 'FILE');
      if (line !== admin) expect(words.length, line).toBeLessThanOrEqual(160);
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
    const lines = [entry.title(v), entry.why?.(v) ?? '', ...nextOf({ next: entry.next(v) }), adminOf({ admin: entry.admin?.(v) })].map(
      String,
    );
    for (const link of lines.join('\n').match(/https?:\/\/[^\s'")]+/g) ?? []) {
      // `http://proxy:port` stands for an address of the reader's own
      if (!/…|:port/.test(link)) expect(URL.canParse(link), link).toBe(true);
    }
    const prose = [lines[0], lines[1]].map((line) => (line ?? '').replace(/https:\/\/\S+|\/\S{20,}|[0-9a-f-]{36}/g, 'X'));
    for (const line of prose) for (const row of fold(line, 80, 2).split('\n')) expect(row.length, row).toBeLessThanOrEqual(80);
  });

  it('has each sign once, long enough to mean something', () => {
    const signs = entries.flatMap(([, { codes = [], says = [], hints = [] }]) => [...codes, ...says, ...hints]);
    const letters = signs.map(wordsOfSign).map(squeezed);
    expect(letters.filter((one, i) => letters.indexOf(one) !== i)).toEqual([]);
    expect(letters.filter((one) => one.length < 3)).toEqual([]);
  });
});
