import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import type { GraphToken, MailboxKey, Registration, TokenSet } from '../core/mailbox.ts';
import { type Command, mailauth } from '../core/next.ts';
import { Secret } from '../core/secret.ts';
import type { SecretStore } from '../core/stores.ts';
import { rfc3339Exact } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { accountSchema, authoritySchema, newerFormat, timeSchema } from './schemas.ts';

/** Entry of the secret store that holds this mailbox's `TokenSet`: `token/this-computer/ops@contoso.com`. */
export const tokenEntry = (key: MailboxKey): string => entryName('token', key);

/** A set-up, and which app it signs in with: what decides where its client secret is. */
export type SecretUser = MailboxKey & { readonly registration: Pick<Registration, 'clientId' | 'shared'> };

/** Entry of the secret store that holds the client secret as Microsoft showed it: the app's, where several mailboxes share it. */
export const clientSecretEntry = ({ registration: { shared, clientId }, ...key }: SecretUser): string =>
  shared === true ? sharedSecretEntry(clientId) : ownSecretEntry(key);

/** Entry of a client secret that one mailbox has for itself. */
export const ownSecretEntry = (key: MailboxKey): string => entryName('client-secret', key);

/** Entry of the client secret of an app that several mailboxes share. No product is called `app`. */
export const sharedSecretEntry = (clientId: string): string => `client-secret/app/${clientId.toLowerCase()}`;

/** Entry of a client secret whose sign-in has not worked yet: it must not replace the one that works. */
export const pendingSecretEntry = (key: MailboxKey): string => `${ownSecretEntry(key)}/new`;

/** Entry of a client secret that a rotation has made, until it is proven: the one that works stays untouched beside it. */
export const rotatedSecretEntry = (user: SecretUser): string => rotated(clientSecretEntry(user));

const rotated = (entry: string): string => `${entry}/rotated`;

/** Every entry that a mailbox may have for itself in the secret store: `logout` removes them, `store move` moves them. */
export const secretEntriesOf = (key: MailboxKey): readonly string[] => [
  tokenEntry(key),
  ownSecretEntry(key),
  pendingSecretEntry(key),
  rotated(ownSecretEntry(key)),
];

/** Those of an app that several mailboxes share: they go with the last of these mailboxes. */
export const sharedEntriesOf = ({ registration: { shared, clientId } }: SecretUser): readonly string[] =>
  shared === true ? [sharedSecretEntry(clientId), rotated(sharedSecretEntry(clientId))] : [];

const entryName = (kind: string, key: MailboxKey): string => `${kind}/${key.for}/${key.mailbox.toLowerCase()}`;

/** The command that replaces a damaged entry. */
export function fixOf(entry: string): Command {
  const [kind, product, ...rest] = entry.split('/');
  if (product === 'app') return mailauth('setup', { sharedApp: true, clientId: rest[0], clientSecretFile: '-' });
  const mailbox = rest.length === 0 ? undefined : rest.join('/');
  return kind === 'client-secret' ? mailauth('setup', { mailbox }) : mailauth('login', mailbox, { force: true });
}

const schema = z.object({
  version: z.literal(1),
  accessToken: z.string().check(z.minLength(1)),
  refreshToken: z.exactOptional(z.string().check(z.minLength(1))),
  issuedAt: timeSchema,
  expiresAt: timeSchema,
  refreshTokenIssuedAt: z.exactOptional(timeSchema),
  scopes: z.array(z.string()),
  account: accountSchema,
  graph: z.exactOptional(
    z.object({ accessToken: z.string().check(z.minLength(1)), issuedAt: timeSchema, expiresAt: timeSchema, scopes: z.array(z.string()) }),
  ),
  authority: z.exactOptional(authoritySchema),
});

/** JSON, times in RFC 3339. The tokens stand in it in plain text: it goes to a secret store and nowhere else. */
export function encodeTokenSet(set: TokenSet): Secret {
  const wire: z.infer<typeof schema> = {
    version: 1,
    accessToken: set.accessToken.reveal(),
    ...defined({ refreshToken: set.refreshToken?.reveal() }),
    issuedAt: rfc3339Exact(set.issuedAt),
    expiresAt: rfc3339Exact(set.expiresAt),
    ...(set.refreshTokenIssuedAt === undefined ? {} : { refreshTokenIssuedAt: rfc3339Exact(set.refreshTokenIssuedAt) }),
    scopes: [...set.scopes],
    account: set.account,
    ...defined({ graph: set.graph && encodeGraph(set.graph), authority: set.authority }),
  };
  return new Secret(JSON.stringify(wire));
}

const encodeGraph = ({ accessToken, issuedAt, expiresAt, scopes }: GraphToken) => ({
  accessToken: accessToken.reveal(),
  issuedAt: rfc3339Exact(issuedAt),
  expiresAt: rfc3339Exact(expiresAt),
  scopes: [...scopes],
});

/** Throws where a later mailauth wrote the value of this entry: `written-by-newer`. A client secret of the first edition is no JSON. */
export function refuseNewer(entry: string, secret: Secret): void {
  const format = newerFormat(parseJson(secret.reveal()), entry.startsWith('client-secret/') ? 2 : 1);
  if (format !== undefined) throw problem('written-by-newer', { what: entry, format });
}

/** The same for what is to be written over, before a person signs in for it. A damaged entry may be written over. */
export async function refuseNewerIn(store: SecretStore, entries: readonly string[]): Promise<void> {
  for (const entry of entries) {
    const value = await store.read(entry).catch((error: unknown) => {
      if (error instanceof MailauthError && error.code === 'store-damaged') return undefined;
      throw error;
    });
    if (value !== undefined) refuseNewer(entry, value);
  }
}

/** Throws `store-damaged`, `written-by-newer`; `key` names the mailbox in it. The content of the entry never gets into the error. */
export function decodeTokenSet(secret: Secret, key?: MailboxKey): TokenSet {
  const read = schema.safeParse(parseJson(secret.reveal()));
  if (!read.success) {
    const entry = key === undefined ? 'token' : tokenEntry(key);
    refuseNewer(entry, secret);
    throw problem('store-damaged', { what: entry, why: 'it is not what mailauth writes', fix: [fixOf(entry)] });
  }
  const { version: _, accessToken, refreshToken, issuedAt, expiresAt, refreshTokenIssuedAt, graph, ...rest } = read.data;
  return {
    ...rest,
    accessToken: new Secret(accessToken),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
    issuedAt: Date.parse(issuedAt),
    expiresAt: Date.parse(expiresAt),
    ...(refreshTokenIssuedAt === undefined ? {} : { refreshTokenIssuedAt: Date.parse(refreshTokenIssuedAt) }),
    ...(graph === undefined
      ? {}
      : {
          graph: {
            accessToken: new Secret(graph.accessToken),
            issuedAt: Date.parse(graph.issuedAt),
            expiresAt: Date.parse(graph.expiresAt),
            scopes: graph.scopes,
          },
        }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
