import type { Cloud, Tenant } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxKey, MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { type Command, type KnownOfSetup, mailauth, ofSetup, withFlagsGiven } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import type { Secret } from '../../core/secret.ts';
import type { SecretStore, StoreName } from '../../core/stores.ts';
import type { ExchangeChoice } from '../../exchange/choose-way.ts';
import type { ClientCertificate } from '../../oauth/client-certificate.ts';
import type { DeviceOptions } from '../../oauth/device.ts';
import type { MailboxFiles } from '../../store/mailbox-file.ts';
import type { Answers } from '../answers/answers.ts';
import type { Facts, Flags } from '../answers/question.ts';
import type { FirstAnswers } from '../answers/remaining-answers.ts';
import type { Said } from '../answers/said.ts';
import type { Journal } from './journal.ts';

/** What the wizard needs of its surroundings. */
export interface SetupDeps extends Run {
  readonly home: string;
  readonly mailboxes: MailboxFiles;
  /** --yes: changes in the tenant are agreed to */
  readonly agreed: boolean;
  /** an address can be pasted, by a person or through a pipe */
  readonly canPaste: boolean;
  readonly device?: DeviceOptions;
  readonly facts: Facts;
  /** the client secret of a registration that this place brings with it (sandbox) */
  knownSecret(clientId: string): Secret | undefined;
  cloud(record?: Pick<MailboxRecord, 'cloud'>): Promise<Cloud>;
  /** the one asked for, else this one, else the keychain */
  probedStore(recorded?: StoreName): Promise<SecretStore>;
  /** no store was asked for on the command line or in the environment, and the sandbox does not bring its own */
  readonly storeIsOpen: boolean;
  /** this very store, not tried */
  storeNamed(name: StoreName): Promise<SecretStore>;
  store(record: MailboxRecord): Promise<SecretStore>;
  /** throws `home-exposed`, `mailbox-file-altered` where somebody else may have said where secrets go */
  refuseSteered(record: MailboxRecord | undefined): Promise<void>;
  /** throws `authority-changed`, `authority-unknown` where a stored sign-in does not belong to the cloud in force */
  refuseForeign(record: MailboxRecord, set: TokenSet): Promise<void>;
}

/** What was said on the command line, beside the answers. */
export interface SetupOptions {
  readonly flags: Flags;
  readonly clientSecretFile?: string;
  readonly passwordFile?: string;
  /** app-only access: PEM, with its key in it or in a file of its own */
  readonly certificateFile?: string;
  readonly certificateKeyFile?: string;
  readonly test: boolean;
  /** how Exchange Online is asked, after the sign-in or after a red test; left out: the default */
  readonly exchange?: ExchangeChoice;
  readonly resume: boolean;
  readonly fresh: boolean;
}

/** One set-up while its lock is held. */
export interface OpenSetup {
  readonly deps: SetupDeps;
  readonly input: SetupOptions;
  readonly key: MailboxKey;
  readonly journal: Journal;
  readonly said: Said;
  readonly found: Found;
}

/** What will be set up and where, known before the operator agrees to it. */
export interface SetupPlan {
  readonly first: FirstAnswers;
  readonly answers: Answers;
  /** the finished set-up of this mailbox and product */
  readonly existing: MailboxRecord | undefined;
  readonly cloud: Cloud;
  readonly tenant: Tenant;
  readonly store: SecretStore;
  /** app-only access by certificate, in place of a client secret */
  readonly certificate: ClientCertificate | undefined;
}

/** What was looked up in this run: a person who goes back and forth does not wait for it again. */
export interface Found {
  /** by the domain or the ID that was looked for */
  readonly tenants: Map<string, Tenant>;
  store?: SecretStore;
}

/** `mailauth setup` for exactly this mailbox, product and cloud. */
export const setupHere = (
  { mailbox, for: product }: MailboxKey,
  cloud: Cloud,
  flags: Readonly<Record<string, string | boolean>>,
): Command => mailauth('setup', { mailbox, cloud, for: product === 'this-computer' ? undefined : product, ...flags });

/** An error whose commands leave out what this set-up is about, with it. */
export const ofThisSetup = (known: KnownOfSetup, error: unknown): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.map((step) => ofSetup(step, known)) }) : error;

/** An error whose `mailauth setup` is the one that is running, with the flags that were given to it. */
export const withFlagsOf = (given: Command | undefined, error: unknown): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.map((step) => withFlagsGiven(step, given)) }) : error;

/** The command that goes on with an interrupted set-up. */
export const resumeHere = (key: MailboxKey, cloud: Cloud): Command => setupHere(key, cloud, { resume: true });
