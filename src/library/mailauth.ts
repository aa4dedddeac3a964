import { nodeModule } from '../core/builtins.ts';

/** How {@link openMailauth} is told where to look. What is left out comes from the MAILAUTH_* variables, as for the command line. */
export interface MailauthOptions {
  /** The folder of mailauth. Default: MAILAUTH_HOME, else the user's own. */
  readonly home?: string;
  /** The built-in stand-in for Microsoft 365, with the mailboxes that `mailauth setup --sandbox` has set up. It runs until `close()`. */
  readonly sandbox?: boolean;
}

/** Which set-up is meant, where a mailbox is set up for several products. */
export interface OfProduct {
  /** The product, as `--for` takes it: `this-computer`, `osticket`, … */
  readonly for?: string;
}

export interface TokenOptions extends OfProduct {
  /** A new token is fetched when less than this is left, in seconds. Default: 300. */
  readonly minValiditySeconds?: number;
}

export interface AccessToken {
  /** For `Authorization: Bearer`, and for SASL XOAUTH2. A secret: it opens the mailbox until it ends. */
  readonly accessToken: string;
  /** The user name for SASL. */
  readonly username: string;
  readonly expiresAt: Date;
}

/** The options for `nodemailer.createTransport()`. One transport may live as long as the program: it fetches new tokens by itself. */
export interface NodemailerOptions {
  readonly host: string;
  readonly port: number;
  /** true: TLS from the first byte; false: STARTTLS, which `requireTLS` demands */
  readonly secure: boolean;
  readonly requireTLS: boolean;
  /** an HTTP proxy, where the environment names one for this host */
  readonly proxy?: string;
  readonly tls?: { readonly ca: string[] };
  readonly auth: {
    readonly type: 'OAuth2';
    readonly user: string;
    readonly accessToken: string;
    /** milliseconds since the epoch */
    readonly expires: number;
    readonly provisionCallback: (
      user: string,
      renew: boolean,
      callback: (error: Error | null, accessToken?: string, expires?: number) => void,
    ) => void;
  };
}

/** The options for `new ImapFlow()`: one connection. An open connection stays open beyond the end of its token; ask anew for the next one. */
export interface ImapFlowOptions {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly doSTARTTLS?: boolean;
  /** an HTTP proxy, where the environment names one for this host */
  readonly proxy?: string;
  readonly tls?: { readonly ca: string[] };
  readonly auth: { readonly user: string; readonly accessToken: string };
  /** ImapFlow logs to standard output unless it is told not to. */
  readonly logger: false;
}

/** One thing that an error text means. */
export interface Explained {
  /** The stable code of the entry, as in docs/errors. */
  readonly code: string;
  readonly title: string;
  readonly why: string;
  /** What to do; the first is to be run. */
  readonly next: readonly string[];
  /** What to send to an administrator, when only one can act. */
  readonly admin?: string;
  /** Where it is known from. */
  readonly source: string;
  readonly mender: 'you' | 'administrator' | 'Microsoft';
  readonly exit: number;
  readonly retryHelps: boolean | null;
  /** Microsoft's number, where the text has one. */
  readonly aadsts: number | null;
}

export interface Explanation {
  /** What was asked, without secrets. */
  readonly input: string;
  /** Each entry once, in the order of appearance. */
  readonly entries: readonly Explained[];
  /** What looks like an error and is not known. */
  readonly unknown: readonly { readonly text: string; readonly lookUp?: string }[];
}

/** The mailboxes that are set up here. It never asks and never prints. */
export interface Mailauth {
  /**
   * A valid access token, from the store, or refreshed. Any number of processes may ask at once: one of them refreshes.
   * @param mailbox its address; may be left out where one mailbox is set up
   * @throws MailauthError `not-signed-in`, `mailbox-unknown`, … : what `mailauth token get` ends with
   */
  token(mailbox?: string, options?: TokenOptions): Promise<AccessToken>;
  /** @throws MailauthError as `token`; `export-protocol-missing` where the set-up has no SMTP */
  nodemailer(mailbox?: string, options?: OfProduct): Promise<NodemailerOptions>;
  /** @throws MailauthError as `token`; `export-protocol-missing` where the set-up has no IMAP */
  imapflow(mailbox?: string, options?: OfProduct): Promise<ImapFlowOptions>;
  /** What an error, a server's reply or a log line means: what `mailauth explain --json` has in `data`. Offline. */
  explain(text: string, options?: OfProduct): Explanation;
  /** Stops what is under way, and the sandbox. What is asked later fails. */
  close(): Promise<void>;
}

/** Why a call failed, in the words of the command line. */
export class MailauthError extends Error {
  override readonly name: string = 'MailauthError';
  /** Stable, for programs: `not-signed-in`. */
  readonly code: string;
  readonly title: string;
  readonly why: string | undefined;
  /** What to do; the first is to be run. */
  readonly next: readonly string[];
  /** The exit code that the command line would have: 4 sign-in needed, 5 temporary, 6 an administrator must act, 7 no store. */
  readonly exit: number;

  constructor(parts: {
    readonly code: string;
    readonly title: string;
    readonly why?: string | undefined;
    readonly next: readonly string[];
    readonly exit: number;
    readonly cause?: unknown;
  }) {
    super(parts.title, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = parts.code;
    this.title = parts.title;
    this.why = parts.why;
    this.next = parts.next;
    this.exit = parts.exit;
  }
}

/** Opens nothing yet: the store, the network and the sandbox are opened by the first call that needs them. */
export function openMailauth(options: MailauthOptions = {}): Mailauth {
  const fail = (parts: ConstructorParameters<typeof MailauthError>[0]): Error => new MailauthError(parts);
  let opened: Promise<Opened> | undefined;
  const library = (): Promise<Opened> => {
    opened ??= beside<{ library(): Promise<{ openLibrary: OpenLibrary }> }>('./app.cjs')
      .library()
      .then(({ openLibrary }) => openLibrary(options, fail));
    return opened;
  };
  return {
    token: async (mailbox, more) => (await library()).token(mailbox ?? undefined, more ?? undefined),
    nodemailer: async (mailbox, more) => (await library()).nodemailer(mailbox ?? undefined, more ?? undefined),
    imapflow: async (mailbox, more) => (await library()).imapflow(mailbox ?? undefined, more ?? undefined),
    explain(text, more) {
      return beside<{ explainNow: ExplainNow }>('./explain-now.cjs').explainNow(text, { sandbox: options.sandbox === true, ...more });
    },
    async close() {
      await (await library()).close();
    },
  };
}

/** The programs beside this one are loaded when they are needed, so that an import costs next to nothing. A bundle has lost them. */
function beside<T>(file: string): T {
  try {
    return nodeModule().createRequire(import.meta.filename)(file);
  } catch (cause) {
    // In an ES module that a bundler made there is no __filename.
    if (!(cause instanceof ReferenceError) && !String(cause).includes(`Cannot find module '${file}'`)) throw cause;
    const next = ['Leave it out of the bundle, and install it beside it: esbuild --external:entra-mailauth'];
    throw new MailauthError({ code: 'bundled', title: 'entra-mailauth cannot run inside a bundle', next, exit: 1, cause });
  }
}

type Opened = Omit<Mailauth, 'explain'>;

/** open-library.ts; `fail` makes an error of the class that the caller knows */
type OpenLibrary = (options: MailauthOptions, fail: (parts: ConstructorParameters<typeof MailauthError>[0]) => Error) => Opened;

/** explain-now.ts */
type ExplainNow = (text: string, about: OfProduct & { readonly sandbox: boolean }) => Explanation;
