import type { Network } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { Reporter } from '../core/run-parts.ts';
import type { SecretStore } from '../core/stores.ts';

// A wait that no command speaks of is shown on a terminal all the same: what is slow is outside of this program, and it comes in through these two.

/** The same network; an answer that takes long is seen to be waited for. */
export const shownNetwork = (network: Network, { meanwhile }: Pick<Reporter, 'meanwhile'>): Network => ({
  ...network,
  request: (request) => meanwhile(`Waiting for ${new URL(request.url).host}`, network.request(request)),
});

/** The same store. */
export function shownStore(store: SecretStore, { meanwhile }: Pick<Reporter, 'meanwhile'>): SecretStore {
  const { readMany } = store;
  const show = <T>(doing: Promise<T>): Promise<T> => meanwhile(`Waiting for the ${store.describe()}`, doing);
  return {
    name: store.name,
    describe: () => store.describe(),
    probe: () => show(store.probe()),
    read: (entry) => show(store.read(entry)),
    write: (entry, value) => show(store.write(entry, value)),
    remove: (entry) => show(store.remove(entry)),
    ...defined({
      readMany: readMany && ((entries: readonly string[]) => show(readMany(entries))),
      turn: store.turn,
    }),
  };
}
