import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import { type AppRun, appAt } from '../../oauth/oauth-app.ts';
import type { SignInRequest } from '../../oauth/sign-in.ts';

export interface RequestParts {
  readonly deps: AppRun;
  readonly cloud: Cloud;
  readonly clientSecret?: Secret | undefined;
}

/** Who signs in, through which app, for which scopes: the same whether in a browser, with a code, a password or for a proof. */
export async function requestFor(
  record: MailboxRecord,
  { deps, cloud, clientSecret }: RequestParts,
): Promise<Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes'>> {
  return {
    app: { ...(await appAt({ ...record, cloud }, deps)), ...defined({ clientSecret }) },
    mailbox: record.mailbox,
    ...defined({ signInAs: record.signInAs }),
    scopes: record.scopes,
  };
}
