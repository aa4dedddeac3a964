import { appOnlyEntries } from './catalogue/app-only.ts';
import { deviceUsageEntries } from './catalogue/device.ts';
import { doctorEntries } from './catalogue/doctor.ts';
import { entraEntries } from './catalogue/entra.ts';
import { exportEntries } from './catalogue/export.ts';
import { fileStoreEntries } from './catalogue/file-store.ts';
import { graphEntries } from './catalogue/graph.ts';
import { handoffEntries } from './catalogue/handoff.ts';
import { keepaliveEntries } from './catalogue/keepalive.ts';
import { mailEntries } from './catalogue/mail.ts';
import { allMailboxesEntries } from './catalogue/mail-all.ts';
import { challengeEntries } from './catalogue/mail-challenge.ts';
import { popEntries } from './catalogue/mail-pop.ts';
import { smtpEntries } from './catalogue/mail-smtp.ts';
import { smtpRefusedEntries } from './catalogue/mail-smtp-refused.ts';
import { networkEntries } from './catalogue/network.ts';
import { refreshEntries } from './catalogue/refresh.ts';
import { rotationEntries } from './catalogue/rotation.ts';
import { sandboxEntries } from './catalogue/sandbox.ts';
import { setupEntries } from './catalogue/setup.ts';
import { signInEntries } from './catalogue/sign-in.ts';
import { storeEntries } from './catalogue/store.ts';

/** Everything that can be wrong, by its stable code (the `error.code` of `--json`). */
export const catalogue = {
  ...appOnlyEntries,
  ...setupEntries,
  ...rotationEntries,
  ...refreshEntries,
  ...networkEntries,
  ...entraEntries,
  ...signInEntries,
  ...deviceUsageEntries,
  ...graphEntries,
  ...handoffEntries,
  ...storeEntries,
  ...fileStoreEntries,
  ...mailEntries,
  ...challengeEntries,
  ...popEntries,
  ...smtpEntries,
  ...allMailboxesEntries,
  ...smtpRefusedEntries,
  ...sandboxEntries,
  ...exportEntries,
  ...keepaliveEntries,
  ...doctorEntries,
};
