import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runToEnd } from './rigs/keyring.ts';
import { type Office, openOffice, type Seat } from './rigs/office.ts';
import { type Postfix, startPostfix } from './rigs/postfix.ts';

const root = resolve(import.meta.dirname, '../..');

/** The examples of docs/library.md by their language, with the mailbox of this test. */
const examples = [...readFileSync(join(root, 'docs/library.md'), 'utf8').matchAll(/^```(js|cjs|ts)\n(.*?)^```$/gms)].map(
  ([, language = '', text = '']) => ({ language, text }),
);

let office: Office;
let postfix: Postfix;
let seat: Seat;
let project: string;
let env: Record<string, string>;

/** A project that has the package installed as npm would, with imapflow and nodemailer beside it. */
beforeAll(async () => {
  office = await openOffice();
  postfix = await startPostfix(office.dovecot);
  // A token of so short a life is renewed two seconds later by whoever needs one.
  seat = await office.seat({ lifetimeSeconds: 152 });
  const cloud = JSON.parse(await readFile(seat.cloudFile, 'utf8'));
  const cloudFile = join(seat.folder, 'with-smtp.json');
  const smtp = { host: 'localhost', port: postfix.ports.submission, security: 'starttls' };
  await writeFile(cloudFile, JSON.stringify({ ...cloud, smtp }));
  await office.dovecot.deliver(seat.mailbox, 3);
  const flags = [
    '--mailbox',
    seat.mailbox,
    '--client-id',
    seat.app.clientId,
    '--cloud-file',
    cloudFile,
    '--protocols',
    'imap,smtp',
    '--yes',
  ];
  const setup = await seat.run(['setup', ...flags]);
  expect(setup.code, setup.stderr).toBe(0);
  project = join(seat.folder, 'project');
  await mkdir(join(project, 'node_modules'), { recursive: true });
  await symlink(root, join(project, 'node_modules', 'entra-mailauth'));
  for (const name of ['imapflow', 'nodemailer', '@types', 'typescript']) {
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  env = { ...seat.env, HOME: project, PATH: process.env.PATH ?? '', MAILAUTH_CLOUD_FILE: cloudFile };
});
afterAll(async () => {
  await postfix?.stop();
  await office?.close();
});

async function run(name: string, text: string) {
  const path = join(project, name);
  await writeFile(path, text.replaceAll('helpdesk@contoso.com', seat.mailbox).replaceAll('ada@contoso.com', 'ada@elsewhere.example'));
  return runToEnd(process.execPath, [path], env);
}

const example = (number: number): string => examples[number]?.text ?? '';
const refreshes = () => seat.app.accessTokens.length;

describe('the examples of docs/library.md, run as they stand', () => {
  it('ImapFlow reads a real Dovecot', async () => {
    expect(await run('read.mjs', example(0))).toMatchObject({ code: 0, stdout: '3 messages\n', stderr: '' });
  });

  it('nodemailer sends through a real Postfix; where it cannot, the error says what to do', async () => {
    expect(await run('send.mjs', example(1))).toMatchObject({ code: 0, stdout: expect.stringMatching(/^250 .*queued as/), stderr: '' });
    const unknown = await run('unknown.mjs', example(1).replaceAll('helpdesk@contoso.com', 'nobody@contoso.com'));
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('mailauth setup --mailbox nobody@contoso.com') });
  });

  it('CommonJS gets a token', async () => {
    expect((await run('token.cjs', example(2))).stdout).toMatch(/^SASL XOAUTH2 of \d+ characters, until 20/);
  });

  it('TypeScript reads the types, as a module and as CommonJS, and what they allow runs', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const strict = [
      '--ignoreConfig',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2023',
      '--module',
      'nodenext',
      '--types',
      'node',
    ];
    const use = `
import nodemailer from 'nodemailer';
import { ImapFlow } from 'imapflow';
const own = openMailauth();
nodemailer.createTransport(await own.nodemailer());
new ImapFlow(await own.imapflow());
// @ts-expect-error: the option is a number
void own.token('a@b.c', { minValiditySeconds: '1' }).catch(() => undefined);
`;
    await writeFile(join(project, 'explain.mts'), example(3));
    await writeFile(join(project, 'use.mts'), `import { openMailauth } from 'entra-mailauth';${use}`);
    await writeFile(join(project, 'explain.cts'), example(3));
    const compiled = await runToEnd(
      process.execPath,
      [tsc, ...strict, 'explain.mts', 'use.mts', 'explain.cts'].map((word) => (/\.[mc]ts$/.test(word) ? join(project, word) : word)),
      env,
    );
    expect([compiled.stdout, compiled.code]).toEqual(['', 0]);
    for (const name of ['explain.mjs', 'explain.cjs']) {
      const { stdout } = await runToEnd(process.execPath, [join(project, name)], env);
      expect(stdout).toMatch(/^Sending by SMTP AUTH is switched off for the mailbox.*mailauth exchange apply/);
    }
  });
});

describe('a program that lives longer than a token', () => {
  it('sends on with one transport, and each renewal is one request', async () => {
    const before = refreshes();
    const script = `
import nodemailer from 'nodemailer';
import { openMailauth } from 'entra-mailauth';
const transport = nodemailer.createTransport(await openMailauth().nodemailer('helpdesk@contoso.com'));
for (let i = 0; i < 3; i += 1) {
  const { response } = await transport.sendMail({ from: 'helpdesk@contoso.com', to: 'ada@contoso.com', subject: 'n' + i, text: 'x' });
  console.log(response.slice(0, 3));
  await new Promise((done) => setTimeout(done, 2_500));
}`;
    expect(await run('long.mjs', script)).toMatchObject({ code: 0, stdout: '250\n250\n250\n', stderr: '' });
    expect(refreshes() - before).toBe(3);
  });

  it('asks nobody and prints nothing, ends by itself, and ten calls at once make one request', async () => {
    const before = refreshes();
    const script = `
import { openMailauth } from 'entra-mailauth';
const m = openMailauth();
const tokens = await Promise.all(Array.from({ length: 10 }, () => m.token('helpdesk@contoso.com', { minValiditySeconds: 151 })));
process.exitCode = new Set(tokens.map((t) => t.accessToken)).size;`;
    expect(await run('ten.mjs', script)).toMatchObject({ code: 1, stdout: '', stderr: '' });
    expect(refreshes() - before).toBeLessThanOrEqual(1);
  });

  it('says why in one class of error: no sign-in, a store that is away, an answer that is missing, after close', async () => {
    const script = `
import { createRequire } from 'node:module';
import { MailauthError, openMailauth } from 'entra-mailauth';
const same = createRequire(import.meta.url)('entra-mailauth').MailauthError === MailauthError;
const m = openMailauth({ home: process.argv[1] + '.home' });
const why = async (act) => { try { await act(); return 'nothing'; } catch (e) { return [e instanceof MailauthError, e.code, e.exit, e.next[0] ?? '']; } };
const said = [await why(() => m.token()), await why(() => m.token('a@b.c')), await why(() => m.token('a@b.c', { for: 'outlook' })), await why(() => m.token('a@b.c', { minValiditySeconds: 0.5 }))];
said.push(await why(() => m.token(5)), await why(() => m.token('a@b.c', { for: 5 })));
await m.close();
said.push(await why(() => m.token()));
console.log(JSON.stringify([same, ...said]));`;
    const { stdout } = await run('why.mjs', script);
    expect(JSON.parse(stdout)).toEqual([
      true,
      [true, 'no-mailbox', 4, 'mailauth setup'],
      [true, 'mailbox-unknown', 4, 'mailauth setup --mailbox a@b.c'],
      [true, 'value-invalid', 2, 'mailauth status'],
      [true, 'mailbox-unknown', 4, 'mailauth setup --mailbox a@b.c'],
      [true, 'value-invalid', 2, 'mailauth status'],
      [true, 'value-invalid', 2, 'mailauth status'],
      [true, 'closed', 1, ''],
    ]);
  });

  it.each(['esm', 'cjs'] as const)('inside a bundle (%s) the first call says that it must be left out', async (format) => {
    const outfile = join(project, format === 'esm' ? 'bundled.mjs' : 'bundled.cjs');
    const script = `
import { MailauthError, openMailauth } from 'entra-mailauth';
openMailauth().token().catch((e) => console.log(e instanceof MailauthError, e.code, e.next[0]));`;
    await writeFile(join(project, 'entry.mjs'), script);
    await build({ entryPoints: [join(project, 'entry.mjs')], bundle: true, platform: 'node', format, outfile, logLevel: 'silent' });
    const { stdout } = await runToEnd(process.execPath, [outfile], env);
    expect(stdout).toMatch(/^true bundled Leave it out of the bundle/);
  });
});
