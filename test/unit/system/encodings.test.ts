import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databaseAddress } from '../../../src/database/address.ts';
import { authoritiesCheck } from '../../../src/doctor/check-machine.ts';
import { chosenCloud } from '../../../src/session/chosen-cloud.ts';
import { certificateFromFiles } from '../../../src/setup/register/app-certificate.ts';
import { secretFromFile } from '../../../src/setup/register/client-secret.ts';
import { passwordFromFile } from '../../../src/setup/sign-in/password-step.ts';
import { keySource } from '../../../src/store/key-source.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { readAll } from '../../../src/system/terminal/terminal.ts';
import { opensslCertificate } from '../../support/certificate.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';

/** A text as Windows PowerShell 5.1 (`>`), Notepad and others write it. */
const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  'UTF-16 LE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'UTF-16 BE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
  'UTF-8 with a byte order mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-8': (text) => Buffer.from(text),
};

let folder = '';
let remove = async () => {};
beforeEach(async () => {
  ({ path: folder, remove } = await temporaryFolder());
});
afterEach(() => remove());

describe.each(Object.entries(encodings))('a file in %s', (_, encode) => {
  const written = async (text: string): Promise<string> => {
    const file = join(folder, 'file');
    await writeFile(file, encode(text), { mode: 0o600 });
    return file;
  };
  const secret = 'Grüße8Q~aSecretOfThirtyCharacters_1';

  it('is read as its text: JSON of mailauth, a list, a template', async () => {
    expect(await systemFiles.read(await written('{"mailbox":"grüße@contoso.com"}\r\n'))).toBe('{"mailbox":"grüße@contoso.com"}\r\n');
  });

  it('holds a client secret, a password, or the address of a database', async () => {
    const ctx = testContext();
    expect((await secretFromFile(ctx, await written(`${secret}\r\n`))).reveal()).toBe(secret);
    expect((await passwordFromFile(ctx, await written(`${secret}\r\n`))).reveal()).toBe(secret);
    const env = { MAILAUTH_DATABASE_URL_FILE: await written('postgresql://ada:hidden@localhost/mailauth\r\n') };
    expect(await databaseAddress(testContext({ env }))).toMatchObject({ host: 'localhost', database: 'mailauth' });
  });

  it('holds a passphrase', async () => {
    const salt = Buffer.alloc(16);
    const key = async (file: string) => {
      const source = keySource({ ctx: testContext({ env: { MAILAUTH_PASSPHRASE_FILE: file } }), canAsk: false });
      return source.master({ kind: 'scrypt', log2n: 10, r: 8, p: 1, salt }, 'secrets.sealed', false);
    };
    const wanted = await key(await written('four or five unrelated words\r\n'));
    await writeFile(join(folder, 'file'), 'four or five unrelated words');
    expect(wanted).toEqual(await key(join(folder, 'file')));
  });

  it('holds a certificate with its key, or a cloud', async () => {
    const { certificate, key } = await opensslCertificate();
    const certificateFile = await written(`${certificate}\n${key}`);
    const found = await certificateFromFiles(
      { ctx: testContext(), report: { note: () => undefined } },
      { certificateFile },
      'helpdesk@contoso.com',
    );
    expect(found?.thumbprint).toMatch(/\S/);
    const cloudFile = await written('{"name":"x"}');
    await expect(chosenCloud(testContext(), { cloudFile })).rejects.toMatchObject({
      code: 'cloud-file-broken',
      why: expect.not.stringContaining('It is not JSON'),
    });
  });

  it('comes on standard input', async () => {
    const stdin = createReadStream(await written(`${secret}\r\n`));
    expect(await readAll(stdin, new AbortController().signal)).toBe(`${secret}\r\n`);
  });
});

it('NODE_EXTRA_CA_CERTS in UTF-16 is a fault: Node.js itself reads that file, and takes nothing from it', async () => {
  const file = join(folder, 'ca.pem');
  await writeFile(file, encodings['UTF-16 LE']?.('-----BEGIN CERTIFICATE-----') ?? '');
  expect(await authoritiesCheck(testContext({ env: { NODE_EXTRA_CA_CERTS: file } })).run(new AbortController().signal)).toMatchObject({
    state: 'failed',
    why: expect.stringContaining('It is UTF-16'),
  });
});
