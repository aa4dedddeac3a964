import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { checkOutput } from '../../support/json-schema.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const executablePath = '/usr/bin/chromium';
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
];
const hungMs = 45_000;

/** The built program, as a person starts it. */
export const program = join(root, 'bin/mailauth.js');

/** Debian's Chromium (apt: chromium), headless. Fails where there is none: these tests are never skipped. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: apt-get install chromium`);
  return chromium.launch({ executablePath, args });
}

/** A MAILAUTH_HOME of its own, and the environment that shows a program nothing of this machine: no screen, no keychain. */
export async function newHome(): Promise<{ path: string; env: Record<string, string>; remove: () => Promise<void> }> {
  if (!existsSync(join(root, 'dist'))) throw new Error('dist/ is missing: npm run build');
  const path = await mkdtemp(join(tmpdir(), 'mailauth-real-'));
  return {
    path,
    env: { PATH: process.env.PATH ?? '', HOME: path, MAILAUTH_HOME: path, LANG: 'C.UTF-8' },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Run {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** the nth JSON line of stdout with this `type`, the first unless told; fails when the program ends without it */
  readonly line: (type: string, nth?: number) => Promise<JsonLine>;
  /** the exit code; null: it was killed */
  readonly ended: Promise<number | null>;
  /** `kill -9` */
  readonly kill: () => void;
}

export interface JsonLine {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** Starts `mailauth ARGS` with pipes instead of a terminal. */
export function startMailauth(argv: readonly string[], env: Record<string, string>): Run {
  const child: ChildProcess = spawn(process.execPath, [program, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let over = false;
  const watchers = new Set<() => void>();
  const tell = () => {
    for (const watcher of watchers) watcher();
  };
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    tell();
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const hung = setTimeout(() => child.kill('SIGKILL'), hungMs);
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      clearTimeout(hung);
      over = true;
      tell();
      try {
        checkOutput(argv, stdout);
        done(code);
      } catch (error) {
        fail(error);
      }
    });
  });
  const line = (type: string, nth = 1) =>
    new Promise<JsonLine>((done, fail) => {
      const look = () => {
        const found = jsonLines(stdout).filter((one) => one.type === type)[nth - 1];
        if (found !== undefined) done(found);
        else if (over) fail(new Error(`ended without "${type}": ${stdout}${stderr}`));
        else return;
        watchers.delete(look);
      };
      watchers.add(look);
      look();
    });
  return { stdout: () => stdout, stderr: () => stderr, line, ended, kill: () => child.kill('SIGKILL') };
}

/** Whole lines only. */
export function jsonLines(stdout: string): readonly JsonLine[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/**
 * A program for `BROWSER`: Chromium that opens the address, picks the hinted account (else the administrator), accepts what is asked,
 * and adds what the last page says to a file of `folder`. `pages` waits until `count` trips have said so: the program that is tested
 * does not wait for its browser.
 */
export async function clickingBrowser(folder: string): Promise<{ command: string; pages: (count: number) => Promise<string[]> }> {
  const command = join(folder, 'browser.mjs');
  const report = join(folder, 'last-pages.txt');
  const playwright = import.meta.resolve('playwright-core');
  await writeFile(
    command,
    `#!${process.execPath}
import { appendFileSync } from 'node:fs';
import playwright from ${JSON.stringify(playwright)};
const browser = await playwright.chromium.launch(${JSON.stringify({ executablePath, args })});
try {
  const page = await browser.newPage();
  const address = process.argv.at(-1);
  await page.goto(address);
  await page.getByRole('button', { name: new URL(address).searchParams.get('login_hint') ?? 'admin@contoso.example', exact: true }).click();
  // Consent that was given before is not asked again.
  const accept = page.getByRole('button', { name: 'Accept', exact: true });
  await accept.or(page.locator(':is(main.good, main.note)')).waitFor();
  if (await accept.isVisible()) await accept.click();
  await page.locator(':is(main.good, main.note)').waitFor();
  appendFileSync(${JSON.stringify(report)}, (await page.getByRole('heading', { level: 1 }).textContent()) + '\\n');
} finally {
  await browser.close();
}
`,
  );
  await chmod(command, 0o755);
  const pages = async (count: number): Promise<string[]> => {
    for (const deadline = Date.now() + hungMs; ; await sleep(50)) {
      const said = (await readFile(report, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
      if (said.length >= count || Date.now() > deadline) return said;
    }
  };
  return { command, pages };
}
