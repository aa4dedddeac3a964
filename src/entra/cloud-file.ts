import * as z from 'zod/mini';
import { type Cloud, isCloudName, type MailHost } from '../core/cloud.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';

const httpsAddress = z.string().check(z.refine((value) => isHttps(value), 'must be an https:// address without user, query or fragment'));

const mailHost = z.object({
  host: z.string().check(z.regex(/^(?:[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:]{2,45}\]?)$/, 'must be a host name')),
  port: z.int().check(z.minimum(1, 'must be 1 to 65535'), z.maximum(65_535, 'must be 1 to 65535')),
  security: z.enum(['tls', 'starttls'], 'must be "tls" or "starttls"'),
});

/** Unknown fields are ignored: the file may be written for a newer mailauth. */
const cloudFile = z.object({
  name: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'must be a short word: letters, digits, dot, dash')),
  login: httpsAddress,
  graph: httpsAddress,
  portal: httpsAddress,
  outlookScopeBase: httpsAddress,
  exchangeAdmin: z.optional(httpsAddress),
  imap: mailHost,
  pop: mailHost,
  smtp: mailHost,
});

/** Microsoft's own clouds and the sandbox have rules of their own, so a file may not take their names. */
const isReserved = (name: string): boolean => isCloudName(name) || name === 'sandbox';

/** Reads a cloud file (docs/contract.md, "Clouds"). `file` is only named in errors. Throws `cloud-file-broken` (exit 2). */
export function readCloudFile(text: string, file: string): Cloud {
  const broken = (why: string, cause?: unknown) => problem('cloud-file-broken', { file, why }, { detail: { file }, cause });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw broken('It is not JSON.', cause);
  }
  const read = cloudFile.safeParse(json);
  if (!read.success) throw broken(describe(read.error.issues));
  const { name, login, graph, portal, outlookScopeBase, exchangeAdmin, imap, pop, smtp } = read.data;
  if (isReserved(name.toLowerCase())) throw broken(`"name": ${name} is the name of a built-in cloud.`);
  return {
    name,
    login: trim(login),
    graph: trim(graph),
    portal: trim(portal),
    outlookScopeBase: trim(outlookScopeBase),
    ...(exchangeAdmin === undefined ? {} : { exchangeAdmin: trim(exchangeAdmin) }),
    imap: bare(imap),
    pop: bare(pop),
    smtp: bare(smtp),
    verified: true,
  };
}

function describe(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  const [first] = issues;
  if (first === undefined) return 'it cannot be read';
  const where = first.path.map(String).join('.');
  const what = /^(?:Invalid input|Invalid)/.test(first.message) ? 'is missing or of the wrong type' : first.message;
  return plain(where === '' ? 'It must be one JSON object.' : `"${where}" ${what}.`);
}

function isHttps(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.protocol === 'https:' && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

const trim = (address: string): string => address.replace(/\/+$/, '');

const bare = (place: MailHost): MailHost => ({ ...place, host: place.host.replace(/^\[|\]$/g, '') });
