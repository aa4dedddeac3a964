import { Command } from 'commander';
import { expect, it } from 'vitest';
import { tokenGet } from '../../../src/commands/token/token-get.ts';
import { quickFlags } from '../../../src/quick/quick.ts';
import { addGlobalOptions } from '../../../src/session/globals.ts';

/** These change what is said or done, so the whole program runs. */
const leftToTheWholeProgram = ['force-refresh', 'no-input', 'verbose', 'no-color', 'fault'];

it('every flag of token get is known to the quick program with the same kind of value, or left to the whole program', () => {
  const command = addGlobalOptions(tokenGet.configure(new Command()));
  const declared = command.options.map(({ long, required }) => [(long ?? '').replace(/^--/, ''), required ? 'string' : 'boolean']);
  const known = Object.entries(quickFlags).map(([name, { type }]) => [name, type]);
  const left = leftToTheWholeProgram.map((name) => [name, expect.stringMatching(/^(string|boolean)$/)]);
  const byName = ([a = '']: unknown[], [b = '']: unknown[]) => (String(a) < String(b) ? -1 : 1);
  expect(declared.toSorted(byName)).toEqual([...known, ...left].toSorted(byName));
});
