import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemFiles } from '../../../../src/system/disk/files.ts';

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailauth-lock-'));
  lock = join(folder, 'one');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a process that was killed leaves behind: the lock, touched a moment ago, and its marker. */
async function leftBehind(by: { pid: number; place?: string; held?: boolean }): Promise<void> {
  const place = by.place ?? (await placeOfThisProcess());
  await mkdir(lock);
  await utimes(lock, new Date(), new Date());
  await writeFile(`${lock}.by-${by.pid}-${place}-00000000${by.held === true ? '-held' : ''}`, '');
}

async function placeOfThisProcess(): Promise<string> {
  const release = await systemFiles.lock(lock, 0);
  const marker = (await readdir(folder)).find((name) => name.startsWith('one.by-'));
  await release?.();
  return marker?.split('-')[2] ?? '';
}

/** a process number that nobody has any more */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('lock', () => {
  it('is for one at a time, and leaves nothing', async () => {
    const release = await systemFiles.lock(lock, 0);
    expect(release).toBeDefined();
    expect(await systemFiles.lock(lock, 0)).toBeUndefined();
    await release?.();
    expect(await readdir(folder)).toEqual([]);
    const again = await systemFiles.lock(lock, 0);
    expect(again).toBeDefined();
    await again?.();
  });

  it('of a process that was killed is free at once, and its traces go', async () => {
    await leftBehind({ pid: deadPid() });
    const release = await systemFiles.lock(lock, 0);
    expect(release).toBeDefined();
    await release?.();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a living process stays', async () => {
    await leftBehind({ pid: process.pid });
    const before = (await stat(lock)).mtimeMs;
    expect(await systemFiles.lock(lock, 0)).toBeUndefined();
    expect((await stat(lock)).mtimeMs).toBe(before);
  });

  it('of a process on another computer stays, whatever its number', async () => {
    await leftBehind({ pid: deadPid(), place: 'ffffffffffff' });
    expect(await systemFiles.lock(lock, 0)).toBeUndefined();
  });

  it('whose holder was killed is free at once, however many wait for it', async () => {
    const place = await placeOfThisProcess();
    await leftBehind({ pid: deadPid(), place, held: true });
    await writeFile(`${lock}.by-${process.pid}-${place}-11111111`, '');
    const release = await systemFiles.lock(lock, 0);
    expect(release).toBeDefined();
    expect((await readdir(folder)).filter((name) => name.endsWith('-held'))).toHaveLength(1);
    await release?.();
    expect(await readdir(folder)).toEqual([`one.by-${process.pid}-${place}-11111111`]);
  });

  it('where a dead and a living process wanted it, the living one may hold it', async () => {
    const place = await placeOfThisProcess();
    await leftBehind({ pid: deadPid(), place });
    await writeFile(`${lock}.by-${process.pid}-${place}-11111111`, '');
    expect(await systemFiles.lock(lock, 0)).toBeUndefined();
  });

  const hourAgo = () => new Date(Date.now() - 3_600_000);

  it('of another computer that has not been touched for long is free, and so is one of the future', async () => {
    for (const time of [hourAgo(), new Date(Date.now() + 3_600_000)]) {
      await leftBehind({ pid: 1, place: 'ffffffffffff' });
      await utimes(lock, time, time);
      const release = await systemFiles.lock(lock, 0);
      expect(release).toBeDefined();
      await release?.();
      expect(await readdir(folder)).not.toContain('one');
    }
  });

  it('that was taken over from a suspended holder stays with the new one when the first releases it', async () => {
    const first = await systemFiles.lock(lock, 0);
    await utimes(lock, hourAgo(), hourAgo());
    const second = await systemFiles.lock(lock, 0);
    expect(second).toBeDefined();
    await first?.();
    expect(await systemFiles.lock(lock, 0)).toBeUndefined();
    await second?.();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is touched while it is held, so that nobody takes it for old', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const release = await systemFiles.lock(lock, 0);
      const before = (await stat(lock)).mtimeMs;
      await vi.advanceTimersByTimeAsync(4_000);
      await vi.waitFor(async () => expect((await stat(lock)).mtimeMs).toBeGreaterThan(before));
      await release?.();
      expect(await readdir(folder)).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a takeover whose process was killed half way blocks nobody for ever', async () => {
    await leftBehind({ pid: deadPid() });
    await mkdir(`${lock}.takeover`);
    await utimes(`${lock}.takeover`, hourAgo(), hourAgo());
    const release = await systemFiles.lock(lock, 1000);
    expect(release).toBeDefined();
    await release?.();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a dead process is taken by exactly one of many who find it at once', async () => {
    await leftBehind({ pid: 1, place: 'ffffffffffff' });
    await utimes(lock, hourAgo(), hourAgo());
    const all = await Promise.all(Array.from({ length: 20 }, () => systemFiles.lock(lock, 0)));
    const holders = all.filter((release) => release !== undefined);
    expect(holders).toHaveLength(1);
    await holders[0]?.();
  });
});
