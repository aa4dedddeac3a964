import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { decodeText, encodingOf } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason, guardWrites } from '../store/home.ts';
import { mailboxFiles } from '../store/mailbox-file.ts';
import { type Check, failed, ok, warned } from './check.ts';
import { windowsAccess } from './check-windows-access.ts';

/** The same as `engines` in package.json and the gate in bin/mailauth.js. */
const oldestNode = [20, 19] as const;

export function nodeCheck(ctx: Pick<Context, 'machine' | 'platform' | 'files'>, version: string): Check {
  const { machine, platform } = ctx;
  return {
    id: 'node',
    title: 'Node.js',
    async run() {
      const [major = 0, minor = 0] = machine.node.split('.').map(Number);
      const enough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
      if (!enough) return failed(problem('node-too-old', { node: machine.node, oldest: oldestNode.join('.') }));
      const detail = `${machine.node} on ${platform} ${machine.release} ${machine.arch}, mailauth ${version}`;
      const limitMb = await addressSpaceMb(ctx);
      if (limitMb === undefined) return ok(detail);
      const neededMb = neededFor(major);
      return limitMb < neededMb
        ? failed(problem('address-space-limited', { limitMb }), detail)
        : ok(`${detail}, address space limited to ${limitMb} MB (${neededMb} MB are needed)`);
    },
  };
}

const mb = 1_000_000;
/**
 * What every command needs, in megabytes, with this major version of Node.js: measured with `ulimit -v`. Node 20 needs 940 and at 1,000 itself
 * dies at one start in thirty; Node 22 needs 1,180; 24 and 26 need 1,590. Node.js reserves most of it and never touches it.
 */
const neededFor = (major: number): number => (major < 24 ? 1200 : 1700);

/** The limit of the address space, in megabytes: `ulimit -v`, LimitAS= of systemd, vsz_limit of Dovecot. Undefined where there is none. */
async function addressSpaceMb({ files, platform }: Pick<Context, 'files' | 'platform'>): Promise<number | undefined> {
  if (platform !== 'linux') return undefined;
  const limits = await files.read('/proc/self/limits').catch(() => undefined);
  const soft = /^Max address space\s+(\d+)/m.exec(limits ?? '')?.[1];
  return soft === undefined ? undefined : Math.floor(Number(soft) / mb);
}

/** Whether a browser could show a page here. No page is opened. */
export function browserCheck({ browser, env }: Pick<Context, 'browser' | 'env'>): Check {
  return {
    id: 'browser',
    title: 'Browser',
    async run() {
      if (!browser.usable) return warned(problem('browser-missing', {}));
      const command = env.BROWSER?.trim();
      return ok(command ? `the command in BROWSER: ${command}` : "the platform's launcher");
    },
  };
}

type Needs = Pick<Context, 'files' | 'random' | 'platform' | 'env' | 'windowsProgram'> & { readonly home: string };

/** Writes, reads and removes a file, then looks which other users can read or change the folder. */
export function homeCheck(needs: Needs): Check {
  return {
    id: 'home',
    title: 'Folder of mailauth',
    async run() {
      const { files, home, random, platform } = needs;
      const path = join(home, `doctor-${random.bytes(6).toString('hex')}`);
      const text = random.bytes(16).toString('hex');
      const back = await guardWrites(home, async () => {
        try {
          await files.writeAtomic(path, text);
          return await files.read(path);
        } finally {
          await files.remove(path);
        }
      });
      if (back !== text) throw problem('home-not-writable', { home, why: 'it did not give back what was written' });
      if (platform === 'win32') return windowsAccess(home, needs);
      const open = await openToOthers(needs);
      const [first] = open.sort((a, b) => Number(b.mode & 0o022) - Number(a.mode & 0o022));
      if (first === undefined) return ok(`${home}, for this user only`);
      const change = (first.mode & 0o022) !== 0;
      const error = problem('home-open', { path: first.path, home, mode: first.mode.toString(8), change, more: open.length - 1 });
      return change ? failed(error) : warned(error);
    },
  };
}

async function openToOthers({ files, home }: Needs): Promise<{ path: string; mode: number }[]> {
  const list = async (folder: string) => (await files.list(folder)).map((name) => join(folder, name));
  const paths = [home, ...(await list(home)), ...(await list(join(home, 'mailboxes')))];
  const modes = await Promise.all(paths.map(async (path) => ({ path, mode: ((await files.held(path))?.mode ?? 0) & 0o777 })));
  // A lock is an empty folder that comes and goes.
  return modes.filter(({ path, mode }) => (mode & 0o077) !== 0 && !path.endsWith('.lock'));
}

/** `refuse` throws where a record steers secrets to where they do not belong. */
export function mailboxesCheck({ files, home }: Pick<Needs, 'files' | 'home'>, refuse: (record: MailboxRecord) => Promise<void>): Check {
  return {
    id: 'mailboxes',
    title: 'Mailbox files',
    async run() {
      const { records, broken } = await mailboxFiles({ files, home }).listMailboxes();
      const [first, ...more] = broken;
      if (first !== undefined) {
        return failed(problem('mailbox-file-broken', first), more.length === 0 ? undefined : `${broken.length} files, one of them`);
      }
      for (const record of records) await refuse(record);
      if (records.length === 0) return ok('no mailbox is set up yet');
      return ok(records.length === 1 ? '1 set-up, readable' : `${records.length} set-ups, all readable`);
    },
  };
}

/** NODE_EXTRA_CA_CERTS: Node itself only warns about a file that it cannot use, and then trusts nothing of it. */
export function authoritiesCheck({ files, env }: Pick<Context, 'files' | 'env'>): Check {
  return {
    id: 'authorities',
    title: 'Extra authorities',
    async run() {
      const file = env.NODE_EXTRA_CA_CERTS;
      if (!file) return ok("none, only Node's own");
      const broken = (why: string) => failed(problem('extra-authorities-broken', { file, why }));
      try {
        const read = await files.readGuarded(file);
        if (read === undefined) return broken('There is no such file.');
        if (encodingOf(read.bytes) !== 'utf-8') return broken('It is UTF-16: save it as UTF-8.');
        const text = decodeText(read.bytes);
        const count = text.split('-----BEGIN CERTIFICATE-----').length - 1;
        return count === 0 ? broken('There is no PEM certificate in it.') : ok(`${count} in ${file}`);
      } catch (error) {
        const why = diskReason(error);
        if (why === undefined) throw error;
        return broken(`It cannot be read: ${why}.`);
      }
    },
  };
}
