import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KeychainProcess, keychainProcess } from '../../../../src/system/keychain/keychain-process.ts';
import { temporaryFolder } from '../../../support/context.ts';

/** Does as the account's name says. */
const fakeChild = `
process.on('disconnect', () => process.exit());
process.on('message', ({ id, account, password }) => {
  if (account === 'hang') return;
  if (account === 'die') process.exit(9);
  if (account === 'fail') return process.send({ id, error: 'no result found' });
  if (account === 'env') return process.send({ id, error: Object.keys(process.env).filter((n) => n.startsWith('MAILAUTH') || n === 'KEPT').join() + process.argv.length });
  if (account === 'pid') return process.send({ id, error: String(process.pid) });
  process.send({ id: 'x' });
  process.send({ id, done: password !== null });
});
`;

let open: KeychainProcess;
let clean: () => Promise<void>;
let childPath = '';
beforeEach(async () => {
  const folder = await temporaryFolder();
  clean = folder.remove;
  childPath = join(folder.path, 'child.mjs');
  await writeFile(childPath, fakeChild);
  open = keychainProcess({ env: { ...process.env, MAILAUTH_GRAPH_TOKEN: 'secret', KEPT: '1' }, childPath });
});
afterEach(async () => {
  open.close();
  await clean();
});

const write = (account: string, limitMs = 10_000, password: string | null = 'p') =>
  open.write({ service: 's', account, password }, limitMs);
const words = (account: string): Promise<string> =>
  write(account).then(
    () => 'resolved',
    (error: Error) => error.message,
  );

describe('keychainProcess', () => {
  it('answers set and delete, several at once', async () => {
    expect(await Promise.all([write('a'), write('b'), write('c', 10_000, null)])).toEqual([true, true, false]);
  });

  it('passes on the words of the binding', async () => {
    await expect(write('fail')).rejects.toThrow('no result found');
  });

  it('keeps one process for several writes', async () => {
    expect(await words('pid')).toBe(await words('pid'));
  });

  it('is killed when it does not answer, and the next write has a new one', async () => {
    const first = Number(await words('pid'));
    await expect(write('hang', 50)).rejects.toMatchObject({ trouble: 'busy' });
    expect(await write('a')).toBe(true);
    expect(await gone(first)).toBe(true);
  });

  it('says so when it dies, and starts again', async () => {
    await expect(write('die')).rejects.toMatchObject({ trouble: 'other', message: expect.stringContaining('exit 9') });
    expect(await write('a')).toBe(true);
  });

  it('gives the child neither our secrets in the environment nor arguments', async () => {
    expect(await words('env')).toBe('KEPT2');
  });

  it('ends it on close, twice is harmless, and open calls are told', async () => {
    const pid = Number(await words('pid'));
    const waiting = write('hang');
    open.close();
    open.close();
    await expect(waiting).rejects.toMatchObject({ trouble: 'other' });
    expect(await gone(pid)).toBe(true);
  });
});

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}
