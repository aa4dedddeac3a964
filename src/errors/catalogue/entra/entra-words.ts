import type { Cloud } from '../../../core/cloud.ts';
import type { Thumbprints } from '../../../core/hashes.ts';
import type { AppAsked } from '../../../core/links.ts';
import { type Command, mailauth } from '../../../core/next.ts';
import type { Entry } from '../../entry/entry.ts';

/** The blanks of everything Entra can refuse: this sign-in's own values and what Microsoft said. */
export interface EntraWords extends AppAsked {
  readonly mailbox?: string | undefined;
  readonly signInAs?: string | undefined;
  /** the app showed who it is by this certificate */
  readonly certificate?: Thumbprints | undefined;
  /** Microsoft's first sentence, already plain */
  readonly said: string;
  /** the OAuth error (RFC 6749 section 5.2) */
  readonly error: string;
  readonly aadsts?: number | undefined;
  /** seconds */
  readonly retryAfter?: number | undefined;
}

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** `mailauth login` for this mailbox. */
export const login = (v: { readonly mailbox?: string | undefined }, flags: Flags = {}): Command => mailauth('login', v.mailbox, flags);

/** `mailauth setup` for this mailbox in this cloud. */
export const setup = (v: { readonly mailbox?: string | undefined; readonly cloud?: Cloud | undefined }, flags: Flags = {}): Command =>
  mailauth('setup', { mailbox: v.mailbox, cloud: v.cloud, ...flags });

/** What each number of a family means, in a sentence. */
type Causes = Readonly<Record<number, string>>;

interface Family extends Omit<Entry<EntraWords>, 'aadsts' | 'why'> {
  /** where neither the number nor Microsoft's sentence is at hand */
  readonly otherwise?: string;
  /** Microsoft's sentence names what the cause leaves open */
  readonly saidFirst?: boolean;
}

/** One entry for numbers with one remedy: each has a cause of its own. */
export function family(causes: Causes, { otherwise, saidFirst = false, ...e }: Family): Entry<EntraWords> {
  const said = (v: EntraWords): string | undefined => (v.said === '' ? undefined : `Microsoft says: ${v.said}`);
  return {
    ...e,
    aadsts: Object.keys(causes).map(Number),
    why: (v) => (saidFirst ? said(v) : undefined) ?? (v.aadsts === undefined ? undefined : causes[v.aadsts]) ?? said(v) ?? otherwise,
  };
}
