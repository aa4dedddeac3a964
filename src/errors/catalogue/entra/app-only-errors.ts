import { Exit } from '../../../core/errors.ts';
import { type Command, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

const certificates = 'https://learn.microsoft.com/entra/identity-platform/certificate-credentials';

const files = { access: 'app-only', certificate: 'cert.pem', certificateKeyFile: 'key.pem' };

/** The command for a new certificate, and the names of the files that it reads. */
export const newCertificate = (v: { mailbox?: string | undefined; for?: string }): readonly NextStep[] => [
  mailauth('setup', { mailbox: v.mailbox, for: v.for, ...files }),
  'Put the new certificate into the file cert.pem and its key into key.pem first.',
];

const makeCertificate = noted(
  line`openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mailauth -keyout key.pem -out cert.pem`,
  'makes both files',
);

/** An app that acts for itself: client credentials, with a secret or a certificate. */
export const appOnlyEntries = {
  'certificate-unusable': entry<{ source: string; why: string; mailbox?: string | undefined }>({
    exit: Exit.usage,
    source: certificates,
    title: (v) => `No usable certificate in ${v.source}`,
    why: (v) => v.why,
    next: (v) => [...newCertificate({ mailbox: v.mailbox }), makeCertificate],
  }),
  'certificate-ended': entry<{ why: string; mailbox: string }>({
    exit: Exit.needsSignIn,
    source: certificates,
    title: (v) => `The certificate for ${v.mailbox} in the secret store no longer signs in`,
    why: (v) => v.why,
    next: (v) => newCertificate({ mailbox: v.mailbox }),
  }),
  'certificate-not-rotated': entry<{ mailbox: string; for: string }>({
    exit: Exit.failed,
    source: certificates,
    title: (v) => `The app of ${v.mailbox} signs in with a certificate: there is no client secret to rotate`,
    why: () => 'mailauth setup puts a new certificate on the app and proves that it signs in.',
    next: (v) => newCertificate(v),
    retryHelps: false,
  }),
  'app-only-not-here': entry<{ product: string; mailbox: string; for: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `${v.product} signs in as a person, so it cannot use app-only access`,
    why: () => 'App-only access is for programs that ask mailauth for the token: this-computer and custom.',
    next: (v) => [
      mailauth('setup', { mailbox: v.mailbox, for: v.for }),
      mailauth('setup', { mailbox: v.mailbox, for: 'this-computer', access: 'app-only' }),
    ],
    retryHelps: false,
  }),
  'app-only-personal': entry<{ mailbox: string }>({
    exit: Exit.usage,
    source: sources.mail,
    title: () => 'Personal accounts have no app-only access',
    why: (v) => `${v.mailbox} belongs to no organization, so no administrator can let an app into it.`,
    next: (v) => [mailauth('setup', { mailbox: v.mailbox })],
    retryHelps: false,
  }),
  'app-role-missing': entry<{ mailbox: string; roles: readonly string[]; again: Command; link: string | undefined; clientId: string }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    title: (v) => `The app's token does not carry ${v.roles.join(', ')}`,
    why: () => 'The application permission is missing on the app, or nobody granted admin consent to it.',
    next: (v) => [v.again],
    admin: (v) =>
      `App ${v.clientId} > API permissions > APIs my organization uses > Office 365 Exchange Online > Application permissions: ` +
      `${v.roles.join(', ')}, then "Grant admin consent"${v.link === undefined ? '' : `: ${v.link}`}`,
  }),
};
