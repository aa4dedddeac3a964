import { Exit } from '../../../core/errors.ts';
import { led, noted, plus } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type Exists, made, undo } from './graph-errors.ts';

const appPolicies = 'Entra > Enterprise apps > Application policies';

/** A tenant's rules for its applications, by which Microsoft Graph refuses (learn.microsoft.com/graph/api/resources/tenantappmanagementpolicy). */
export const policyEntries = {
  'secrets-forbidden': entry<Exists>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    codes: ['CredentialTypeNotAllowedAsPerAppPolicy'],
    says: ['Credential type not allowed as per assigned policy', 'credential type is not allowed'],
    title: () => 'A policy of this tenant forbids client secrets',
    why: (v) => `CredentialTypeNotAllowedAsPerAppPolicy. Go on once an administrator has exempted this app. ${made(v)}`,
    next: (v) => [
      v.resume,
      ...(v.resume.name === 'setup' ? [led('On this computer it also works without one', plus(v.resume, { clientType: 'public' }))] : []),
      ...undo(v),
    ],
    admin: () =>
      'exempt the app from "Block password addition" (Entra > Enterprise apps > Application policies; or Microsoft 365 admin center > Org settings > Restricted Mode).',
    retryHelps: false,
  }),
  'secret-lifetime-forbidden': entry<Exists & { months: number | undefined }>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    codes: ['CredentialInvalidLifetimeAsPerAppPolicy'],
    says: ['Credential lifetime exceeds the max value allowed', 'lifetime exceeds the … allowed … policy'],
    title: (v) =>
      v.months === undefined
        ? 'A policy of this tenant does not allow a secret or certificate to live that long'
        : `A policy of this tenant does not allow a client secret of ${v.months} months`,
    why: (v) => `CredentialInvalidLifetimeAsPerAppPolicy: the longest lifetime is shorter. ${made(v)}`,
    next: ({ months = 12, ...v }) => [
      months > 1 ? plus(v.resume, { secretMonths: months > 6 ? 6 : months > 3 ? 3 : 1 }) : v.resume,
      ...(v.exists === undefined ? ['In another program: give the secret or the certificate an earlier end date.'] : undo(v)),
    ],
    admin: () => 'the longest lifetime stands under Entra > Enterprise apps > Application policies, "Restrict max password lifetime".',
  }),
  'certificates-forbidden': entry<Exists>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    title: () => 'A policy of this tenant forbids certificates on applications',
    why: (v) => `CredentialTypeNotAllowedAsPerAppPolicy. Go on once an administrator has exempted this app. ${made(v)}`,
    next: (v) => [v.resume, ...undo(v)],
    admin: () => `exempt the app from the policy for certificates: ${appPolicies}.`,
    retryHelps: false,
  }),
  'certificate-lifetime-forbidden': entry<Exists & { expiresAt: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    says: ['Key credential end date is invalid', 'Key credential start date is invalid', 'Key credential … date … invalid'],
    title: (v) =>
      v.expiresAt === undefined
        ? 'Microsoft does not take the certificate with these dates'
        : `A policy of this tenant does not allow a certificate that is valid until ${v.expiresAt}`,
    why: (v) =>
      v.expiresAt === undefined
        ? 'The end date that was sent lies outside the validity of the certificate, has passed, or a policy wants a shorter lifetime.'
        : `The longest lifetime of a certificate is shorter. ${made(v)}`,
    next: (v) => [noted(v.resume, 'with --certificate and a certificate that ends sooner'), ...undo(v)],
    admin: () => `the longest lifetime stands under ${appPolicies}, "Restrict max certificate lifetime".`,
    retryHelps: false,
  }),
  'certificate-authority-forbidden': entry<Exists>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    says: ['trustedCertificateAuthority'],
    title: () => 'A policy of this tenant allows only certificates of its own authorities',
    why: (v) => `This one was issued by another authority, or by itself. ${made(v)}`,
    next: (v) => [noted(v.resume, 'with --certificate and a certificate of such an authority'), ...undo(v)],
    admin: () => `the authorities stand under ${appPolicies}; issue a certificate with one of them, or exempt the app.`,
    retryHelps: false,
  }),
  'audience-forbidden': entry<Exists & { audience: string }>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    codes: ['SignInAudienceNotAllowedAsPerAppPolicy'],
    title: (v) => `A policy of this tenant does not allow the audience "${v.audience}"`,
    why: (v) => `SignInAudienceNotAllowedAsPerAppPolicy. ${made(v)}`,
    next: (v) => [plus(v.resume, { audience: 'single' }), ...undo(v)],
    admin: (v) => `allow apps with the audience "${v.audience}", or use the product with --audience single.`,
    retryHelps: false,
  }),
  'redirect-domain-forbidden': entry<Exists & { uris: readonly string[] }>({
    exit: Exit.notAllowed,
    source: sources.graphPolicies,
    codes: ['HostNameNotOnVerifiedDomain'],
    says: ['must use a verified domain of the organization', 'must use a verified domain of the tenant', 'not on a verified domain'],
    title: () => 'This tenant accepts redirect and identifier URIs of its own verified domains only',
    why: (v) => `HostNameNotOnVerifiedDomain: ${v.uris.join(', ')}. Go on once an administrator has allowed it. ${made(v)}`,
    next: (v) => [v.resume, ...undo(v)],
    admin: (v) => `verify the domain of ${v.uris.join(', ')} in Entra > Custom domain names, or relax the policy for redirect URIs.`,
    retryHelps: false,
  }),
  'service-reference-needed': entry<Exists & { said: string }>({
    exit: Exit.needsAnswer,
    source: 'https://learn.microsoft.com/graph/api/resources/application',
    codes: ['ServiceTreeValueMissing', 'ServiceTreeValueInvalid', 'ServiceTreeInvalid'],
    says: ['ServiceManagementReference field'],
    title: () => 'This tenant asks for a service management reference on every application',
    why: (v) => `It is the ID of your service in a directory of the organization; somebody there knows it. ${made(v)}`,
    next: (v) => [
      noted(
        plus(v.resume, { yes: false, noInput: false, json: false }),
        'asks on a terminal; in a script, add --service-management-reference',
      ),
      ...undo(v),
    ],
  }),
};
