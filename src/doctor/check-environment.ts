import type { Context } from '../core/context.ts';
import { problem } from '../errors/problem.ts';
import { type Check, ok, warned } from './check.ts';

/** How much of a variable's value may be shown. `private` ones are left out of the report, but not of the screen. */
type Showing = 'plain' | 'private' | 'address' | 'never';

/** Every variable that changes what mailauth does (docs/contract.md, "Environment"), and those around it that explain a failure. */
const known: Readonly<Record<string, Showing>> = {
  MAILAUTH_HOME: 'plain',
  MAILAUTH_MAILBOX: 'private',
  MAILAUTH_TENANT: 'private',
  MAILAUTH_CLIENT_ID: 'private',
  MAILAUTH_CLOUD: 'plain',
  MAILAUTH_CLOUD_FILE: 'plain',
  MAILAUTH_STORE: 'plain',
  MAILAUTH_KEY_FILE: 'plain',
  MAILAUTH_PASSPHRASE_FILE: 'plain',
  MAILAUTH_PASSPHRASE: 'never',
  MAILAUTH_GRAPH_TOKEN: 'never',
  MAILAUTH_EXCHANGE_TOKEN: 'never',
  MAILAUTH_DEBUG: 'plain',
  MAILAUTH_PLAIN: 'plain',
  MAILAUTH_SHELL: 'plain',
  BROWSER: 'private',
  HTTPS_PROXY: 'address',
  https_proxy: 'address',
  HTTP_PROXY: 'address',
  http_proxy: 'address',
  ALL_PROXY: 'address',
  all_proxy: 'address',
  NO_PROXY: 'private',
  no_proxy: 'private',
  NODE_EXTRA_CA_CERTS: 'plain',
  NODE_USE_SYSTEM_CA: 'plain',
  NODE_TLS_REJECT_UNAUTHORIZED: 'plain',
  NODE_OPTIONS: 'private',
  NODE_DEBUG: 'plain',
  SSLKEYLOGFILE: 'plain',
  SSL_CERT_FILE: 'plain',
  NO_COLOR: 'plain',
  FORCE_COLOR: 'plain',
  TERM: 'plain',
  CI: 'plain',
  DBUS_SESSION_BUS_ADDRESS: 'private',
  XDG_RUNTIME_DIR: 'plain',
  DISPLAY: 'plain',
  WAYLAND_DISPLAY: 'plain',
  SSH_CONNECTION: 'never',
};

interface Variable {
  readonly name: string;
  /** as it may stand on a screen */
  readonly shown: string;
  readonly private: boolean;
}

/** The known variables that are set, in the table's order. */
export function variables(env: Context['env']): readonly Variable[] {
  return Object.entries(known).flatMap(([name, showing]) => {
    const value = env[name];
    if (value === undefined || value === '') return [];
    return [{ name, shown: shownAs(value, showing), private: showing === 'private' || showing === 'never' }];
  });
}

function shownAs(value: string, showing: Showing): string {
  if (showing === 'never') return '[set]';
  return showing === 'address' ? withoutPassword(value) : value;
}

/** `http://ada:secret@proxy:3128/x` → `http://***@proxy:3128`. What stands before the last @ may be a password. */
export function withoutPassword(address: string): string {
  const [, scheme = '', rest = ''] = /^([a-z0-9+.-]+:\/\/)?(.*)$/is.exec(address.trim()) ?? [];
  const at = rest.lastIndexOf('@');
  const place = (at < 0 ? rest : rest.slice(at + 1)).replace(/[/?#].*$/s, '');
  return `${scheme}${at < 0 ? '' : '***@'}${place}`;
}

interface Telling {
  readonly name: string;
  readonly option: string;
  /** who gets what */
  readonly how: string;
}

/** Options of Node.js with which somebody else can read along; https://nodejs.org/api/cli.html describes each. */
const tellingOptions: readonly [RegExp, string][] = [
  [/^--tls-keylog$/, 'whoever reads that file can decrypt the connections to Microsoft, with every token in them'],
  [/^--trace-tls$/, 'what goes through encrypted connections is written to standard error'],
  [/^--inspect(?:-brk|-wait)?$/, 'whoever reaches that port can read the memory of this process, with every token in it'],
  [/^--(?:heapsnapshot-|heap-prof$|abort-on-uncaught-exception$)/, 'the memory may be written to a file, with every token in it'],
  [/^(?:-r|--require|--import|--loader|--experimental-loader)$/, 'other code runs inside mailauth and can read every token'],
];

/** What makes Node.js, or the browser that mailauth starts, give away what it should keep. */
function telling({ NODE_OPTIONS = '', NODE_DEBUG = '', SSLKEYLOGFILE }: Context['env']): Telling | undefined {
  for (const word of NODE_OPTIONS.split(/\s+/)) {
    // Node takes `_` for `-` in its options.
    const option = word.replace(/=.*/s, '').replaceAll('_', '-');
    const how = tellingOptions.find(([pattern]) => pattern.test(option))?.[1];
    if (how !== undefined) return { name: 'NODE_OPTIONS', option, how };
  }
  if (/\b(?:https?|tls|net|stream)\b|\*/i.test(NODE_DEBUG)) {
    return { name: 'NODE_DEBUG', option: NODE_DEBUG, how: 'what Node.js sends and receives may be written to standard error' };
  }
  if (!SSLKEYLOGFILE) return undefined;
  return { name: 'SSLKEYLOGFILE', option: SSLKEYLOGFILE, how: 'browsers and curl write there what decrypts their connections' };
}

export function environmentCheck({ env }: Pick<Context, 'env'>): Check {
  return {
    id: 'environment',
    title: 'Environment',
    async run() {
      const set = variables(env).map(({ name, shown }) => `${name}=${shown}`);
      const detail = set.length === 0 ? 'no variable that mailauth reads is set' : set.join(' ');
      const unknown = Object.keys(env).filter((name) => /^MAILAUTH_/i.test(name) && env[name] !== undefined && !(name in known));
      const told = telling(env);
      if (told !== undefined) return warned(problem('node-tells-secrets', told), detail);
      if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') return warned(problem('certificates-unchecked', {}), detail);
      const [first] = unknown.sort();
      return first === undefined ? ok(detail) : warned(problem('variable-unknown', { name: first }), detail);
    },
  };
}
