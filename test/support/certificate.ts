import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A self-signed certificate of openssl's, as an operator makes one. `key`: `rsa:2048`, or another kind to be refused. */
export async function opensslCertificate(key = 'rsa:2048', days = 30, host?: string): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'mailauth-cert-'));
  try {
    const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const kind = key === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', key];
    const out = [
      '-nodes',
      '-days',
      String(days),
      '-subj',
      `/CN=${host ?? 'mailauth'}`,
      ...(host === undefined ? [] : ['-addext', `subjectAltName=DNS:${host}`]),
      '-keyout',
      files.key,
      '-out',
      files.certificate,
    ];
    await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...out]);
    return { certificate: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
