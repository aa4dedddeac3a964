import { execFileSync } from 'node:child_process';
import { chmod, lchown, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, machine } from '../support/command-line.ts';
import { emptied, type Lab, labMailbox, labRecord, openLab, signInAt } from '../support/lab.ts';

const nobody = 65_534;
const asNobody = (...words: readonly string[]) => {
  const [command = '', ...args] = ['setpriv', `--reuid=${nobody}`, '--regid=nogroup', '--clear-groups', ...words];
  return execFileSync(command, args);
};

let m: Machine;
let lab: Lab;
let foreign: Lab;
let plain: Server;
let plainHeard = '';
let file = '';
beforeAll(async () => {
  [m, lab, foreign] = await Promise.all([
    machine(),
    openLab(),
    openLab(() => ({ body: { token_type: 'Bearer', access_token: 'forged' } })),
  ]);
  plain = createServer((request, response) => {
    request.on('data', (data) => {
      plainHeard += data;
    });
    request.on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
});
afterAll(async () => {
  await Promise.all([m.end(), lab.server.close(), foreign.server.close()]);
  plain.close();
});
beforeEach(async () => {
  await emptied(m);
  await chmod(m.home, 0o700);
  file = await signInAt(m, labRecord(lab.cloud));
});

const run = (words: string) => m.mailauth(words, { network: lab.network });
const force = `token get ${labMailbox} --force-refresh --json`;
/** The text of the mailbox file with the token endpoint of somebody else. */
const steeredTo = async (address: string) =>
  (await readFile(file, 'utf8')).replace(/"token": "[^"]+"/, `"token": "${address}/${labMailbox}/oauth2/v2.0/token"`);

const nobodyHeardIt = () => {
  expect(plainHeard).toBe('');
  expect(foreign.heard()).toBe('');
};

describe.runIf(process.getuid?.() === 0)('what another user can change steers no secret', () => {
  const secretCommands = [
    force,
    `token get ${labMailbox} --json`,
    `token show ${labMailbox} --json`,
    `test imap ${labMailbox} --json`,
    `login ${labMailbox} --json`,
    `keepalive --renew-after 0 --json`,
    `setup --mailbox ${labMailbox} --client-id 11111111-2222-3333-4444-555555555555 --yes --json`,
  ];

  it.each(secretCommands)('%s ends with exit 7 after nobody has rewritten the mailbox file', async (words) => {
    await chmod(m.home, 0o777);
    await chmod(join(m.home, 'mailboxes'), 0o777);
    const text = await steeredTo(foreign.cloud.login);
    asNobody('sh', '-c', 'rm "$0" && printf %s "$1" > "$0" && chmod 600 "$0"', file, text);
    const ran = await run(words);
    const error = words.includes('setup') ? ran.lines().at(-1)?.error : ran.json().error;
    expect([ran.exit, error?.code]).toEqual([7, 'home-exposed']);
    expect(error?.next).toEqual([
      `chown -h 0 ${m.home} ${m.home}/mailboxes '${file}'`,
      `chmod go-w ${m.home} ${m.home}/mailboxes '${file}'   # if others were on this machine, set the mailbox up again`,
    ]);
    nobodyHeardIt();
    expect(lab.server.received).toEqual([]);
  });

  it('the two commands mend it when they are pasted', async () => {
    await chmod(join(m.home, 'mailboxes'), 0o1777);
    const next = (await run(force)).json().error?.next ?? [];
    for (const command of next) execFileSync('sh', ['-c', command]);
    expect((await run(`token get ${labMailbox}`)).exit).toBe(0);
  });

  it.each([
    ['the home', () => chmod(m.home, 0o770), () => m.home],
    ['the folder of the mailbox files, by its group', () => chmod(join(m.home, 'mailboxes'), 0o720), () => join(m.home, 'mailboxes')],
    ['the folder, sticky as /tmp', () => chmod(join(m.home, 'mailboxes'), 0o1777), () => join(m.home, 'mailboxes')],
    ['the file', () => chmod(file, 0o606), () => file],
    ['the owner of the file', () => lchown(file, nobody, nobody), () => file],
    ['a link of another user', () => asLinkOf(nobody), () => file],
  ])('%s', async (_, expose, path) => {
    await expose();
    const { exit, json } = await run(force);
    expect([exit, json().error?.code]).toEqual([7, 'home-exposed']);
    expect(json().error?.title).toContain(path());
    expect(lab.server.received).toEqual([]);
  });

  async function asLinkOf(uid: number): Promise<void> {
    const text = await readFile(file);
    await writeFile(join(m.home, 'elsewhere'), text, { mode: 0o600 });
    execFileSync('rm', [file]);
    await symlink(join(m.home, 'elsewhere'), file);
    await lchown(file, uid, uid);
  }

  it('a link of the same owner is followed, as in a folder of dotfiles', async () => {
    await asLinkOf(0);
    expect((await run(`token get ${labMailbox}`)).exit).toBe(0);
  });

  it('a home that is for all gets a private folder, and MAILAUTH_HOME there', async () => {
    await chmod(m.home, 0o1777);
    expect((await run(force)).json().error?.next[0]).toContain(
      `mkdir -m 700 ${m.home}/mailauth && export MAILAUTH_HOME=${m.home}/mailauth`,
    );
  });

  it('a cloud file that others can write steers no secret either', async () => {
    const cloudFile = join(m.home, 'lab.json');
    await writeFile(cloudFile, JSON.stringify(lab.cloud));
    expect((await run(`token get ${labMailbox} --cloud-file ${cloudFile}`)).exit).toBe(0);
    await chmod(cloudFile, 0o666);
    const { exit, err } = await run(`token get ${labMailbox} --cloud-file ${cloudFile}`);
    expect([exit, err.includes(cloudFile)]).toEqual([7, true]);
  });

  it('status shows the table and says it, doctor fails, logout removes all', async () => {
    await chmod(m.home, 0o777);
    const status = await run('status --json');
    expect([status.exit, status.json().error?.code, status.json().data.mailboxes.length]).toEqual([7, 'home-exposed', 1]);
    expect(status.json().data.mailboxes[0].signedIn).toBe(true);
    expect((await run('status --format nagios')).out).toContain('can change');
    expect((await run(`logout ${labMailbox}`)).exit).toBe(0);
    expect(await readdir(join(m.home, 'mailboxes'))).toEqual([]);
  });
});

describe('addresses in the mailbox file belong to the login that stands in the same file', () => {
  it.each([
    ['plain http', () => `http://localhost:${(plain.address() as AddressInfo).port}`],
    ['another host', () => foreign.cloud.login],
    ['a user name that looks like the host', () => `${lab.cloud.login.replace('https://', 'https://login@')}`],
    ['the same host on plain http', () => lab.cloud.login.replace('https:', 'http:')],
  ])('%s', async (_, address) => {
    await writeFile(file, await steeredTo(address()));
    for (const words of [force, `token get ${labMailbox} --json`, `login ${labMailbox} --force --json`]) {
      const { exit, json } = await run(words);
      expect([exit, json().error?.code]).toEqual([7, 'mailbox-file-altered']);
      expect(json().error?.next[0]).toMatch(/^mailauth setup --mailbox box@contoso.example --for this-computer/);
    }
    nobodyHeardIt();
    expect(lab.server.received).toEqual([]);
  });

  it('a record that calls itself the sandbox gets none of the sandbox’s freedom', async () => {
    const text = await steeredTo(`http://localhost:${(plain.address() as AddressInfo).port}`);
    await writeFile(file, text.replace('"name": "lab"', '"name": "sandbox"'));
    expect((await run(force)).json().error?.code).toBe('mailbox-file-altered');
    nobodyHeardIt();
  });

  it('status shows it, doctor fails at it, logout works', async () => {
    await writeFile(file, await steeredTo(foreign.cloud.login));
    expect((await run('status --json')).json()).toMatchObject({ error: { code: 'mailbox-file-altered' }, data: { mailboxes: [{}] } });
    expect((await run(`logout ${labMailbox}`)).exit).toBe(0);
  });
});

describe.runIf(process.getuid?.() === 0)('root in the home of a service', () => {
  it('works where all belongs to the service, and leaves it so', async () => {
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, m.home]);
    expect((await run(`token get ${labMailbox}`)).exit).toBe(0);
    // A refusal is noted in the mailbox file, and the lock makes a folder.
    expect((await run(force)).exit).toBe(5);
    await m.mailauth('status', { env: { MAILAUTH_DEBUG: '1' } });
    const names = await readdir(m.home, { recursive: true });
    for (const name of names) expect([name, (await lstat(join(m.home, name))).uid]).toEqual([name, nobody]);
    expect(names).toContain('locks');
    execFileSync('chown', ['-R', '0:0', m.home]);
  });

  it.each([
    ['a mailbox file of root', async () => file],
    ['a folder of root', async () => join(m.home, 'mailboxes')],
    ['a copy that is a link to a file of root', async () => linkedTo(join(m.home, 'secrets.sealed.copy'))],
    ['a folder that is a link to a folder of root', async () => linkedTo(join(m.home, 'locks'))],
  ])('%s in it is refused', async (_, lay) => {
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, m.home]);
    const path = await lay();
    if (!(await lstat(path)).isSymbolicLink()) await lchown(path, 0, 0);
    const { exit, json } = await run(force);
    expect([exit, json().error?.code]).toEqual([7, 'home-exposed']);
    expect(json().error?.title).toContain(path);
    execFileSync('rm', ['-rf', join(m.home, 'secrets.sealed.copy'), join(m.home, 'locks'), `${m.home}-of-root`]);
    execFileSync('chown', ['-R', '0:0', m.home]);
  });

  async function linkedTo(path: string): Promise<string> {
    const target = `${m.home}-of-root`;
    await mkdir(target, { recursive: true });
    execFileSync('rm', ['-rf', path]);
    asNobody('ln', '-s', target, path);
    return path;
  }
});

it('a new home is closed to others', async () => {
  const home = join(m.home, 'new');
  await m.mailauth('setup --sandbox --yes --no-test --register existing', { env: { MAILAUTH_HOME: home } });
  expect((await stat(join(home, 'sandbox'))).mode & 0o777).toBe(0o700);
});
