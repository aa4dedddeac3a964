import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import type { SignInRequest } from '../../oauth/sign-in.ts';
import type { SetupDeps } from '../setup-deps.ts';

export interface RequestParts {
  readonly deps: Pick<SetupDeps, 'ctx' | 'stepTimeoutMs' | 'network'>;
  readonly cloud: Cloud;
  readonly clientSecret?: Secret | undefined;
}

/** Who signs in, through which app, for which scopes: the same whether in a browser, with a code, a password or for a proof. */
export async function requestFor(
  record: MailboxRecord,
  { deps, cloud, clientSecret }: RequestParts,
): Promise<Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes'>> {
  const { ctx, stepTimeoutMs: timeoutMs } = deps;
  return {
    app: {
      cloud,
      tenantId: record.tenantId,
      endpoints: record.endpoints,
      clientId: record.registration.clientId,
      network: await deps.network(),
      clock: ctx.clock,
      timeoutMs,
      signal: ctx.signal,
      ...defined({ clientSecret }),
    },
    mailbox: record.mailbox,
    ...defined({ signInAs: record.signInAs }),
    scopes: record.scopes,
  };
}
