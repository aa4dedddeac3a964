import { entraEntries } from './catalogue/entra.ts';
import { graphEntries } from './catalogue/graph.ts';
import { handoffEntries } from './catalogue/handoff.ts';
import { mailEntries } from './catalogue/mail.ts';
import { popEntries } from './catalogue/mail-pop.ts';
import { smtpEntries } from './catalogue/mail-smtp.ts';
import { networkEntries } from './catalogue/network.ts';
import { sandboxEntries } from './catalogue/sandbox.ts';
import { setupEntries } from './catalogue/setup.ts';
import { signInEntries } from './catalogue/sign-in.ts';
import { storeEntries } from './catalogue/store.ts';

/** Everything that can be wrong, by its stable code (the `error.code` of `--json`). */
export const catalogue = {
  ...setupEntries,
  ...networkEntries,
  ...entraEntries,
  ...signInEntries,
  ...graphEntries,
  ...handoffEntries,
  ...storeEntries,
  ...mailEntries,
  ...popEntries,
  ...smtpEntries,
  ...sandboxEntries,
};
