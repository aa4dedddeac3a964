import type { Cloud } from '../core/cloud.ts';
import type { MailboxRecord, StoreName } from '../core/mailbox.ts';
import type { Run } from '../core/run.ts';
import type { Secret } from '../core/secret.ts';
import type { MailboxFiles } from '../store/mailbox-file.ts';
import type { SecretStore } from '../store/store.ts';
import type { Answers } from './answers/answers.ts';
import type { Facts } from './answers/question.ts';
import type { Registered } from './register/register-step.ts';
import type { SetupNotes } from './setup-notes.ts';
import type { DeviceWish } from './sign-in/sign-in-step.ts';

/** What the wizard needs of its surroundings. */
export interface SetupDeps extends Run {
  readonly home: string;
  readonly mailboxes: MailboxFiles;
  /** --yes: changes in the tenant are agreed to */
  readonly agreed: boolean;
  readonly device?: DeviceWish;
  readonly facts: Facts;
  /** the client secret of a registration that this place brings with it (sandbox) */
  knownSecret(clientId: string): Secret | undefined;
  cloud(record?: Pick<MailboxRecord, 'cloud'>): Promise<Cloud>;
  /** the one asked for, else this one, else the keychain */
  probedStore(recorded?: StoreName): Promise<SecretStore>;
  store(record: Pick<MailboxRecord, 'store'>): Promise<SecretStore>;
}

/** What was said on the command line, beside the answers. */
export interface SetupInput {
  readonly flags: Readonly<Partial<Record<keyof Answers, string>>>;
  readonly clientSecretFile?: string;
  readonly passwordFile?: string;
  /** app-only access: PEM, with its key in it or in a file of its own */
  readonly certificateFile?: string;
  readonly certificateKeyFile?: string;
  readonly test: boolean;
  readonly resume: boolean;
  readonly fresh: boolean;
}

/** The app stands: what consent, sign-in and tests work with. */
export interface Standing {
  readonly deps: SetupDeps;
  readonly input: SetupInput;
  readonly notes: SetupNotes;
  readonly store: SecretStore;
  readonly cloud: Cloud;
  /** not written yet: nobody has signed in */
  readonly record: MailboxRecord;
  readonly registered: Registered;
}
