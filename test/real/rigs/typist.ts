// biome-ignore-all lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
import { expect } from 'vitest';
import type { Terminal } from './tmux.ts';

/** The change in the tenant. */
export async function agree(t: Terminal): Promise<void> {
  await answer(t, 'Create it?');
}

/** Down the list to what is wanted. */
export async function choose(t: Terminal, question: string, wanted: string): Promise<void> {
  await t.until(`? ${question}`);
  for (let tries = 0; tries < 20; tries += 1) {
    if (new RegExp(`❯ ${escaped(wanted)}`).test(await t.text())) break;
    const before = await t.text();
    await t.press('Down');
    await t.until(new RegExp(`^(?!${escaped(before)}$)`));
  }
  await t.until(`❯ ${wanted}`);
  await t.press('Enter');
  await t.until(`✔ ${question} ${wanted}`);
}
/** From the summary's menu to another way to register. */
export async function anotherWay(t: Terminal, name: string): Promise<void> {
  await choose(t, 'Create it?', 'Another way');
  await choose(t, 'Which way?', name);
}

/** The menu of a product that was handed over: it works. */
export async function works(t: Terminal): Promise<void> {
  await t.until('? What next?');
  for (let tries = 0; tries < 5 && !(await t.text()).includes('❯ It works'); tries += 1) {
    const before = await t.text();
    await t.press('Down');
    await t.until(new RegExp(`^(?!${escaped(before)}$)`));
  }
  await t.press('Enter');
  await t.until('✔ What next? It works');
}

/** Answers `question` once it is there; `keys` are typed, then Enter. */
export async function answer(t: Terminal, question: string, keys = ''): Promise<void> {
  await t.until(`? ${question}`);
  if (keys !== '') {
    await t.type(keys);
    // What was typed may go on in the next line of the screen.
    const typed = [...keys].map(escaped).join('\\n?');
    await t.until(new RegExp(`\\? ${escaped(question)}.*${typed}`));
  }
  await t.press('Enter');
  await t.until(`✔ ${question}`);
}

/** a text as a regular expression for itself */
export const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export async function endsClean(t: Terminal, code: number): Promise<void> {
  const end = await t.ended();
  expect(end.code, await t.text()).toBe(code);
  expect(end.cursor).toBe(true);
  expect(end.sttyAfter).toBe(end.sttyBefore);
  expect(end.sttyAfter).toMatch(/(?<!-)icanon/);
  expect(end.sttyAfter).toMatch(/(?<!-)\becho\b/);
  // No titles, links or clipboard: nothing of the kind begins otherwise (ECMA-48 OSC, DCS, APC).
  expect(await t.raw()).not.toMatch(/\u001b[\]P_^X]/);
}

/** Wrapped by the terminal itself, which tears words; the address of the sign-in alone may be. */
export async function torn(t: Terminal): Promise<readonly string[]> {
  const whole = (await t.text()).split('\n').map((line) => line.trimEnd());
  const seen = new Set((await t.seen()).split('\n').map((line) => line.trimEnd()));
  return whole.filter((line) => !seen.has(line) && !line.startsWith('http'));
}
