import type { Cloud } from '../../core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import type { Run } from '../../core/run-parts.ts';
import type { SecretStore } from '../../core/stores.ts';
import { graphScopes } from '../../oauth/scopes.ts';
import { currentGraphToken } from '../../tokens/graph-token.ts';

interface SignedInAt {
  readonly deps: Pick<Run, 'ctx' | 'report' | 'stepTimeoutMs' | 'network'> & { readonly home: string };
  readonly store: SecretStore;
  readonly cloud: Cloud;
}

/** The token for Microsoft Graph of a mailbox that signed in a moment ago, for the test of `graph-send`. It is stored beside the other one. */
export function graphTokenNow({ deps, store, cloud }: SignedInAt, record: MailboxRecord): Promise<TokenSet> {
  const { ctx, home, stepTimeoutMs, report } = deps;
  const scopes = graphScopes(cloud, record.protocols, record);
  return currentGraphToken(
    record,
    { minValidityMs: 60_000, force: false },
    {
      ...{ ctx, home, store, waitMs: stepTimeoutMs },
      // It was made a moment ago, for this cloud.
      refuseForeign: async () => undefined,
      async refresh(old) {
        const { refreshed } = await import('../../tokens/refresh.ts');
        return refreshed({ ...record, scopes }, old, { ctx, stepTimeoutMs, network: () => deps.network(), store, cloud, isChosen: true });
      },
      note: (text) => report.detail(text),
      warn: (text) => report.note(text),
    },
  );
}
