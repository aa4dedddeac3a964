import { Exit } from '../../../core/errors.ts';
import { adminConsentLink, isPersonal } from '../../../core/links.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

/** Microsoft's own applications, which no registration of the tenant stands behind: Azure CLI, Graph PowerShell, Exchange's PowerShell. */
const microsofts = [
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
  '1950a258-227b-4e31-a9cf-717495945fc2',
  '14d82eec-204b-4c2f-b7e8-296a70dab67e',
  'fb78d390-0c51-40cd-8e17-fdbfab77341b',
];
const isMicrosofts = (v: Pick<EntraWords, 'clientId'>): boolean => microsofts.includes(v.clientId.toLowerCase());

/** Who has allowed what. */
export const consentEntries = {
  'consent-declined': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    hints: ['access_denied'],
    title: () => 'The permissions were declined',
    says: ['User declined to consent', 'user has denied access to the scope'],
    why: () => 'Somebody pressed Cancel, or the account is not allowed to accept them. Sign in again and press Accept.',
    next: (v) => [login(v)],
    admin: (v) => (isPersonal(v) ? undefined : `open this link as administrator and accept: ${adminConsentLink(v)}`),
    aadsts: [65004],
  }),
  'consent-needed': words({
    exit: Exit.notAllowed,
    source: sources.consent,
    hints: ['consent_required'],
    title: (v) =>
      isPersonal(v) || isMicrosofts(v) ? 'The permissions have not been accepted yet' : 'An administrator must first allow the permissions',
    why: (v) =>
      isPersonal(v)
        ? 'Whoever signs in accepts them. Sign in again, and press Accept.'
        : isMicrosofts(v)
          ? 'The application that asks is one of Microsoft (Azure CLI): whoever signs in, or an administrator, consents in its own sign-in.'
          : 'Where Microsoft manages consent, users cannot allow IMAP and POP, or an app of an unverified publisher, by themselves.',
    next: (v) => [login(v)],
    admin: (v) => (isPersonal(v) || isMicrosofts(v) ? undefined : `open as administrator and accept: ${adminConsentLink(v)}`),
    says: [
      ...[
        { words: 'has not consented to use the application', means: {} },
        // Applications of Microsoft: no registration of the tenant stands behind them.
        { words: 'has not consented to use the application … Microsoft Azure CLI', means: { clientId: microsofts[0] ?? '' } },
        { words: 'has not consented to use the application … Microsoft Azure PowerShell', means: { clientId: microsofts[1] ?? '' } },
        {
          words: 'has not consented to use the application … Microsoft Graph Command Line Tools',
          means: { clientId: microsofts[2] ?? '' },
        },
      ],
      'Calling principal cannot consent',
      'Need admin approval',
      'Approval required … admin',
      "requires your admin's approval",
      'needs permission to access resources in your organization that only an admin can grant',
      'without verified publishers',
      'does not have a verified publisher',
      'unverified publisher',
      'no longer be able to grant consent',
      'admin consent is required',
      "hasn't consented to use the application",
    ],
    aadsts: [65001, 90094, 90095, 90093, 90008, 900941, 50150],
  }),
};
