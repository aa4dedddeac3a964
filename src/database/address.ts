import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import type { DatabaseAddress } from '../core/database-port.ts';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import { decodeText, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { readGuarded, refuseExposed } from '../store/key-source.ts';

type AddressContext = Pick<Context, 'env' | 'platform' | 'files'>;

/** MAILAUTH_DATABASE_URL, else the one line of the file of MAILAUTH_DATABASE_URL_FILE. Throws `database-address-missing`, `database-address-wrong` (7). */
export async function databaseAddress(ctx: AddressContext): Promise<DatabaseAddress> {
  const { MAILAUTH_DATABASE_URL: given, MAILAUTH_DATABASE_URL_FILE: file } = ctx.env;
  if (given) return readAddress(given.trim(), 'MAILAUTH_DATABASE_URL', ctx);
  if (!file) throw problem('database-address-missing', {});
  const path = resolve(file);
  const wrong = (why: string) => problem('database-address-wrong', { source: plain(path), why });
  const guarded = await readGuarded(ctx.files, path, wrong);
  if (guarded === undefined) throw wrong('MAILAUTH_DATABASE_URL_FILE names it, and there is no such file.');
  refuseExposed(guarded, path, ctx);
  return readAddress(decodeText(guarded.bytes).trim(), plain(path), ctx);
}

/** Where it is, for messages: never with user name or password. */
export const shownAddress = ({ host, port, database }: DatabaseAddress): string =>
  host.startsWith('/') ? `${database} at ${host}` : `${database} at ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** Of libpq's parameters those that mean the same here (postgresql.org/docs/current/libpq-connect.html). Any other is refused, not ignored. */
const known = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'channel_binding',
  'application_name',
  'connect_timeout',
] as const;
type Parameters = Partial<Record<(typeof known)[number], string>>;

/**
 * Reads `postgresql://user:password@host:port/database?sslrootcert=FILE` (postgresql.org/docs/current/libpq-connect.html, "Connection URIs"). A
 * connection to another computer always has TLS with a certificate that is checked, whatever `sslmode` says. Throws `database-address-wrong`;
 * `source` is named in it, and nothing of the address.
 */
export async function readAddress(text: string, source: string, ctx: Pick<Context, 'files'>): Promise<DatabaseAddress> {
  const wrong = (why: string) => problem('database-address-wrong', { source, why });
  if (/[\r\n\s]/.test(text)) throw wrong('It must be one address on one line, without blanks.');
  const found = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(text);
  if (found === null) throw wrong('It must begin with postgresql:// and look like postgresql://mailauth:PASSWORD@db.contoso.com/mailauth');
  const [, login = '', places = '', path = '', query = ''] = found;
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw wrong('A percent sign in it must be written %25.');
    }
  };
  const parameters = readParameters(query, wrong);
  // Half of a password would be taken for the host, and be looked up and shown.
  if (/@/.test(places + path) || path.includes('/')) throw wrong(escaped);
  if (places.includes(','))
    throw wrong('It names several servers. Name one; a name or an address that moves with the primary server is good.');
  const place = /^(\[[^\]]+\]|[^:]*)(?::(\d*))?$/.exec(places);
  if (place === null) throw wrong(escaped);
  const [, name = '', digits = ''] = place;
  const host = parameters.host ?? decode(name.replace(/^\[|\]$/g, ''));
  const port = Number(parameters.port ?? (digits || '5432'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong('Its port is not a number from 1 to 65535.');
  const [userPart = '', ...passwordParts] = login.split(':');
  const user = parameters.user ?? decode(userPart);
  const password = parameters.password ?? decode(passwordParts.join(':'));
  const database = parameters.dbname ?? decode(path);
  if (database === '') throw wrong('It names no database: postgresql://…/mailauth');
  const at = host === '' ? 'localhost' : host;
  return {
    host: at,
    port,
    database,
    applicationName: parameters.application_name ?? 'mailauth',
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password: new Secret(password) }),
    ...defined({ tls: await tlsFor(at, parameters, { ctx, wrong }) }),
  };
}

const escaped = 'Its host and port cannot be read. An @, : or / in the password must be written %40, %3A, %2F.';

function readParameters(query: string, wrong: (why: string) => Error): Parameters {
  const parameters: Parameters = {};
  for (const [name, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) {
    const key = known.find((one) => one === name);
    if (key === undefined)
      throw wrong(`It has the parameter "${plain(name, 40)}", which mailauth does not know. Known are ${known.join(', ')}.`);
    parameters[key] = value;
  }
  return parameters;
}

/** Nothing leaves this computer on the way to such a host. */
const isHere = (host: string): boolean => host.startsWith('/') || /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);

async function tlsFor(
  host: string,
  parameters: Parameters,
  { ctx, wrong }: { readonly ctx: Pick<Context, 'files'>; readonly wrong: (why: string) => Error },
): Promise<DatabaseAddress['tls']> {
  const { sslmode = 'prefer', sslrootcert, sslcert, sslkey, channel_binding: binding = 'prefer' } = parameters;
  if (!['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(sslmode))
    throw wrong('Its sslmode is not one that libpq knows.');
  if (!['disable', 'prefer', 'require'].includes(binding)) throw wrong('Its channel_binding is not one that libpq knows.');
  if ((sslcert === undefined) !== (sslkey === undefined)) throw wrong('sslcert and sslkey belong together.');
  const isWanted = /^(?:require|verify-ca|verify-full)$/.test(sslmode) || sslrootcert !== undefined;
  if (host.startsWith('/') || (isHere(host) && !isWanted)) return undefined;
  if (sslmode === 'disable')
    throw wrong('sslmode=disable is for this computer alone: without TLS, whoever is on the way reads the connection.');
  const pem = async (name: string, file: string | undefined): Promise<string | undefined> => {
    if (file === undefined) return undefined;
    const text = await readGuarded(ctx.files, resolve(file), (why) => wrong(`${name}: ${plain(file, 200)}. ${why}`));
    if (text === undefined) throw wrong(`${name} names ${plain(file, 200)}, and there is no such file.`);
    return decodeText(text.bytes);
  };
  // `system` is libpq's word for the authorities that this computer trusts.
  const authority = await pem('sslrootcert', sslrootcert === 'system' ? undefined : sslrootcert);
  const [cert, key] = [await pem('sslcert', sslcert), await pem('sslkey', sslkey)];
  return { channelBinding: binding === 'require', ...defined({ authority, cert, key: key === undefined ? undefined : new Secret(key) }) };
}
