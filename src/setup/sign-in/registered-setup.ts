import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import type { SecretStore } from '../../core/stores.ts';
import type { Graph } from '../../entra/graph.ts';
import { type AppRun, appAt } from '../../oauth/oauth-app.ts';
import { scopesBeside } from '../../oauth/scopes.ts';
import type { SignInRequest } from '../../oauth/sign-in.ts';
import type { Answers } from '../answers/answers.ts';
import type { OpenSetup } from '../journal/setup-deps.ts';

/** A redirect to this computer that is in the registration only for the time of a proof. */
export interface Proof {
  readonly redirectUri: string;
  remove(): Promise<void>;
}

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

interface RequestParts {
  readonly deps: AppRun;
  readonly cloud: Cloud;
  readonly clientSecret?: Secret | undefined;
}

/** Who signs in, through which app, for which scopes: the same whether in a browser, with a code, a password or for a proof. */
export async function requestFor(
  record: MailboxRecord,
  { deps, cloud, clientSecret }: RequestParts,
): Promise<Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes' | 'alsoConsent'>> {
  return {
    app: { ...(await appAt({ ...record, cloud }, deps)), ...defined({ clientSecret }) },
    mailbox: record.mailbox,
    ...defined({ signInAs: record.signInAs }),
    scopes: record.scopes,
    alsoConsent: scopesBeside(cloud, record.protocols, record),
  };
}
