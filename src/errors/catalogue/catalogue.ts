import { appOnlyEntries } from './entra/app-only-errors.ts';
import { authorityEntries } from './entra/authority-errors.ts';
import { deviceUsageEntries } from './entra/device-errors.ts';
import { entraEntries } from './entra/entra-errors.ts';
import { refreshEntries } from './entra/refresh-errors.ts';
import { signInEntries } from './entra/sign-in-errors.ts';
import { agentEntries } from './machine/agent-errors.ts';
import { diskEntries } from './machine/disk-errors.ts';
import { doctorEntries } from './machine/doctor-errors.ts';
import { exportEntries } from './machine/export-errors.ts';
import { keepaliveEntries } from './machine/keepalive-errors.ts';
import { networkEntries } from './machine/network-errors.ts';
import { proxyEntries } from './machine/proxy-errors.ts';
import { sandboxEntries } from './machine/sandbox-errors.ts';
import { tlsEntries } from './machine/tls-errors.ts';
import { mailEntries } from './mail/mail-errors.ts';
import { mailTokenEntries } from './mail/mail-token-errors.ts';
import { popEntries } from './mail/pop-errors.ts';
import { sendEntries } from './mail/send-errors.ts';
import { sessionEntries } from './mail/session-errors.ts';
import { smtpEntries } from './mail/smtp-errors.ts';
import { smtpRefusedEntries } from './mail/smtp-refused-errors.ts';
import { tokenCommandEntries } from './mail/token-command-errors.ts';
import { adminEntries } from './registration/admin-errors.ts';
import { adminToolEntries } from './registration/admin-tool-errors.ts';
import { answerEntries } from './registration/answer-errors.ts';
import { exchangeEntries } from './registration/exchange-errors.ts';
import { graphEntries } from './registration/graph-errors.ts';
import { graphWordEntries } from './registration/graph-words-errors.ts';
import { listEntries } from './registration/list-errors.ts';
import { mailboxEntries } from './registration/mailbox-errors.ts';
import { policyEntries } from './registration/policy-errors.ts';
import { rotationEntries } from './registration/rotation-errors.ts';
import { setupEntries } from './registration/setup-errors.ts';
import { databaseEntries } from './store/database-errors.ts';
import { homeEntries } from './store/home-errors.ts';
import { keychainEntries } from './store/keychain-errors.ts';
import { fileStoreEntries } from './store/sealed-file-errors.ts';
import { storeEntries } from './store/store-errors.ts';

/** Everything that can be wrong, by its stable code (the `error.code` of `--json`). */
export const catalogue = {
  ...appOnlyEntries,
  ...databaseEntries,
  ...answerEntries,
  ...mailboxEntries,
  ...setupEntries,
  ...listEntries,
  ...rotationEntries,
  ...refreshEntries,
  ...authorityEntries,
  ...networkEntries,
  ...tlsEntries,
  ...proxyEntries,
  ...diskEntries,
  ...entraEntries,
  ...signInEntries,
  ...deviceUsageEntries,
  ...graphEntries,
  ...policyEntries,
  ...adminEntries,
  ...exchangeEntries,
  ...graphWordEntries,
  ...adminToolEntries,
  ...homeEntries,
  ...keychainEntries,
  ...storeEntries,
  ...fileStoreEntries,
  ...mailEntries,
  ...mailTokenEntries,
  ...popEntries,
  ...smtpEntries,
  ...smtpRefusedEntries,
  ...sessionEntries,
  ...sendEntries,
  ...tokenCommandEntries,
  ...sandboxEntries,
  ...exportEntries,
  ...keepaliveEntries,
  ...agentEntries,
  ...doctorEntries,
};
