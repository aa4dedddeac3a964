import type { Cloud } from '../../core/cloud.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import type { SecretStore } from '../../core/stores.ts';
import type { Graph } from '../../entra/graph.ts';
import type { Answers } from '../answers/answers.ts';
import type { OpenSetup } from '../journal/setup-deps.ts';
import type { Proof } from './proof-step.ts';

/** What a registration comes to, whichever way it was made. */
export interface Registered {
  readonly answers: Answers;
  /** for the mailbox file */
  readonly registration: Registration;
  readonly clientSecret?: Secret;
  /** where the product catches the redirect itself: this computer's, for a proof */
  readonly proof?: Proof;
  /** still signed in, where the app was registered through it */
  readonly graph?: Graph;
}

/** The app is registered: what consent, sign-in and tests work with. */
export interface RegisteredSetup extends OpenSetup {
  readonly store: SecretStore;
  readonly cloud: Cloud;
  /** not written yet: that happens after the sign-in */
  readonly record: MailboxRecord;
  readonly registered: Registered;
}
