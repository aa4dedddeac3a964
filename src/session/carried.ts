import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Reporter } from '../core/run-parts.ts';
import type { SecretVariable } from '../system/programs.ts';

export type Variable = readonly [name: string, value: string];

export const carriedValues = ({ env }: Pick<Context, 'env'>, names: readonly string[]): readonly Variable[] =>
  names.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));

/** mailauth's own variables that name no secret. Those of files and folders are carried with whole paths. */
const ownVariables: readonly string[] = [
  'MAILAUTH_MAILBOX',
  'MAILAUTH_TENANT',
  'MAILAUTH_CLIENT_ID',
  'MAILAUTH_CLOUD',
  'MAILAUTH_CLOUD_FILE',
  'MAILAUTH_STORE',
  'MAILAUTH_KEY_FILE',
  'MAILAUTH_PASSPHRASE_FILE',
  'MAILAUTH_DATABASE_URL_FILE',
  'MAILAUTH_DEBUG',
  // Node's own: whether the authorities that the system trusts are trusted.
  'NODE_USE_SYSTEM_CA',
  'MAILAUTH_PLAIN',
];

/** mailauth's own variables that hold a secret, each with what can be done instead of writing it into a file. */
export const secretVariables: Readonly<Record<SecretVariable, string>> = {
  MAILAUTH_PASSPHRASE: 'name a file with MAILAUTH_PASSPHRASE_FILE or MAILAUTH_KEY_FILE',
  MAILAUTH_DATABASE_URL: 'name a file with MAILAUTH_DATABASE_URL_FILE',
  MAILAUTH_GRAPH_TOKEN: 'nothing here needs it',
  MAILAUTH_EXCHANGE_TOKEN: 'nothing here needs it',
};

/** Those that name files, with whole paths: a job of cron or systemd starts in another folder. */
export const carriedPaths = (ctx: Pick<Context, 'env'>, names: readonly string[]): readonly Variable[] =>
  carriedValues(ctx, names).map(([name, value]) => [name, resolve(value)]);

/** mailauth's own variables in force; MAILAUTH_HOME is not among them, because it is needed also where it is not set. */
export const carriedOwn = (ctx: Pick<Context, 'env'>): readonly Variable[] =>
  ownVariables.flatMap((name) => (name.endsWith('_FILE') ? carriedPaths : carriedValues)(ctx, [name]));

/** The flags that say what these variables say, for Windows: neither a task nor a command line sets a variable there. */
export const variableFlags: ReadonlyMap<string, string> = new Map([
  ['MAILAUTH_HOME', '--home'],
  ['MAILAUTH_KEY_FILE', '--key-file'],
  ['MAILAUTH_STORE', '--store'],
  ['MAILAUTH_CLOUD', '--cloud'],
  ['MAILAUTH_CLOUD_FILE', '--cloud-file'],
]);

const cloudFlags: readonly string[] = ['--cloud', '--cloud-file', '--sandbox'];

/**
 * The variables as flags that can stand behind these words: each flag once, and one answer to the question which cloud it is. What the words
 * say wins, then the cloud file, as `readGlobals` reads flags and variables. Variables without a flag are left out.
 */
export function asFlags(variables: readonly Variable[], words: readonly string[]): readonly string[] {
  const saysCloud = words.some((word) => cloudFlags.includes(word));
  const namesFile = variables.some(([name]) => name === 'MAILAUTH_CLOUD_FILE');
  return variables.flatMap(([name, value]) => {
    const flag = variableFlags.get(name);
    if (flag === undefined || words.includes(flag)) return [];
    const isAnswered = cloudFlags.includes(flag) && (saysCloud || (namesFile && flag === '--cloud'));
    return isAnswered ? [] : [flag, value];
  });
}

/** A proxy's password is a secret: that variable is left out, and a note says so. */
export const carriedProxies = ({
  ctx,
  report,
}: {
  readonly ctx: Pick<Context, 'env'>;
  readonly report: Pick<Reporter, 'note'>;
}): readonly Variable[] =>
  carriedValues(ctx, proxyVariables).filter(([name, value]) => {
    const isSafe = !/@/.test(value) || /^no_proxy$/i.test(name);
    if (!isSafe) report.note(`${name} has a user name or password in it and is not written here: set it where the program runs`);
    return isSafe;
  });

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];
