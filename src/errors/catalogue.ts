import { appOnlyEntries } from './catalogue/entra/app-only-errors.ts';
import { deviceUsageEntries } from './catalogue/entra/device-errors.ts';
import { entraEntries } from './catalogue/entra/entra-errors.ts';
import { refreshEntries } from './catalogue/entra/refresh-errors.ts';
import { signInEntries } from './catalogue/entra/sign-in-errors.ts';
import { doctorEntries } from './catalogue/machine/doctor-errors.ts';
import { exportEntries } from './catalogue/machine/export-errors.ts';
import { keepaliveEntries } from './catalogue/machine/keepalive-errors.ts';
import { networkEntries } from './catalogue/machine/network-errors.ts';
import { sandboxEntries } from './catalogue/machine/sandbox-errors.ts';
import { allMailboxesEntries } from './catalogue/mail/mail-all-errors.ts';
import { challengeEntries } from './catalogue/mail/mail-challenge-errors.ts';
import { mailEntries } from './catalogue/mail/mail-errors.ts';
import { popEntries } from './catalogue/mail/pop-errors.ts';
import { smtpEntries } from './catalogue/mail/smtp-errors.ts';
import { smtpRefusedEntries } from './catalogue/mail/smtp-refused-errors.ts';
import { graphEntries } from './catalogue/registration/graph-errors.ts';
import { handoffEntries } from './catalogue/registration/handoff-errors.ts';
import { rotationEntries } from './catalogue/registration/rotation-errors.ts';
import { setupEntries } from './catalogue/registration/setup-errors.ts';
import { storeEntries } from './catalogue/store/keychain-errors.ts';
import { fileStoreEntries } from './catalogue/store/sealed-file-errors.ts';

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
