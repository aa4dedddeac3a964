import { Exit } from '../../../core/errors.ts';
import { noted } from '../../../core/next.ts';
import { setVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { atStart, type CertificateSeen, exemption, lookHere, target, type Where } from './network-words.ts';

/** Certificates and TLS. */
export const tlsEntries = {
  'tls-untrusted': entry<Where & CertificateSeen>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
      'CERT_REVOKED',
      'CERT_SIGNATURE_FAILURE',
      'CERT_CHAIN_TOO_LONG',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
    ],
    says: [
      'remote certificate was rejected',
      'SSL peer certificate or SSH remote key was not OK',
      'server certificate verification failed',
      'certificate is not issued by a trusted authority',
      'unknown certificate authority',
      'certificate verification error',
      'self-signed certificate',
      'unable to verify the first certificate',
      'unable to get local issuer certificate',
      'unable to get issuer certificate',
      'certificate signed by unknown authority',
      'RemoteCertificateChainErrors',
      'RemoteCertificateNameMismatch, RemoteCertificateChainErrors',
      'terminated in a root certificate which is not trusted',
      'PKIX path building failed',
      'unable to find valid certification path',
      'SSL certificate could not be verified',
      'SEC_E_UNTRUSTED_ROOT',
      'remote certificate … invalid',
      'SSL certificate problem',
      'certificate is not trusted',
      'peer certificate cannot be authenticated',
      'MOZILLA_PKIX_ERROR',
      'SEC_ERROR_UNKNOWN_ISSUER',
      'ERR_CERT_AUTHORITY_INVALID',
    ],
    hints: ['certificate verify failed', 'Certificate verification failed'],
    title: (v) => `The certificate of ${v.host} is not trusted`,
    why: (v) => {
      const who =
        v.issuer === undefined
          ? 'Its authority is not known to this computer'
          : `It was issued by "${v.issuer}", which this computer does not know`;
      const incomplete = v.alone === true ? ' Or the server does not send the certificate of its intermediate authority.' : '';
      return `${who}: a company proxy or an antivirus program that opens TLS, or an impostor.${incomplete}`;
    },
    next: ({ systemTrust }) =>
      systemTrust === 'NODE_USE_SYSTEM_CA' || systemTrust === 'NODE_OPTIONS'
        ? [
            noted(
              setVariable(systemTrust, systemTrust === 'NODE_OPTIONS' ? '--use-system-ca' : '1'),
              'trusts what Windows trusts: the authority of your company is mostly there',
            ),
            lookHere,
            'Or name the PEM file of that authority in NODE_EXTRA_CA_CERTS.',
          ]
        : [
            lookHere,
            "If it is your company's own authority, name its PEM file in NODE_EXTRA_CA_CERTS.",
            'If the system trusts it: NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt on Debian, or NODE_USE_SYSTEM_CA=1 (Node.js 22.19, 24.6 or newer).',
          ],
    retryHelps: false,
  }),
  'tls-hostname': entry<Where>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    says: [
      "hostname … doesn't match",
      'hostname … does not match',
      'certificate is valid for … not',
      'subject name … does not match … host',
      'ERR_CERT_COMMON_NAME_INVALID',
      "does not match certificate's altnames",
      'no alternative certificate subject name matches',
      'certificate name does not match',
    ],
    title: (v) => `The certificate of ${v.host} is for another host`,
    why: () => 'The name is wrong, or something between this computer and the server answers in its place.',
    next: () => [lookHere],
    retryHelps: false,
  }),
  'tls-expired': entry<Where & CertificateSeen>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    says: ['certificate has expired', 'certificate is not yet valid'],
    title: (v) => `The certificate of ${v.host} is not valid today`,
    why: (v) =>
      v.validTo === undefined
        ? "It has expired or is not valid yet; often it is this computer's clock that is wrong."
        : `It is valid from ${v.validFrom} to ${v.validTo}. Today is another time, or this computer's clock is wrong.`,
    next: () => [lookHere, 'Check the date and time of this computer.'],
    retryHelps: false,
  }),
  'tls-failed': entry<Where>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: ['EPROTO', 'ERR_SSL_*', 'ERR_TLS_*'],
    says: [
      'Unsupported or unrecognized SSL message',
      'unexpected message … handshake',
      'SSL_ERROR_SYSCALL',
      'tlsv1 unrecognized name',
      'The handshake failed due to an unexpected packet format',
      'SSL handshake failed',
      'wrong version number',
      'packet length too long',
      'record layer failure',
      'first record does not look like a TLS handshake',
      'Unrecognized SSL message, plaintext connection',
      'tlsv1 alert protocol version',
      'sslv3 alert handshake failure',
      'no protocols available',
      'handshake_failure',
      'no appropriate protocol',
    ],
    hints: ['unsupported protocol'],
    title: (v) => `No secure connection to ${target(v)}`,
    why: (v) =>
      v.through === undefined
        ? 'What answers does not speak TLS 1.2 or newer there: a proxy or page in plain http, or a port that begins with STARTTLS (587, 143).'
        : `The proxy ${v.through} opened the way, but what answers does not speak TLS 1.2 or newer: the proxy's own page, or a wrong port.`,
    next: (v) =>
      v.purpose === 'the proxy'
        ? [lookHere, 'In HTTPS_PROXY, write http:// before the name: few proxies speak TLS themselves.']
        : [
            lookHere,
            ...exemption(v),
            'In HTTPS_PROXY, write http:// before the name of the proxy. In a mail program on port 587, choose STARTTLS.',
          ],
  }),
  'tls-client-certificate': entry<Where>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'],
    says: ['alert certificate required'],
    title: (v) => `${atStart(v)} asks for a certificate of this computer`,
    why: () => "mailauth shows none: Microsoft's servers do not ask for one, so this is a gateway or another server.",
    next: (v) => [lookHere, ...exemption(v)],
    retryHelps: false,
  }),
};
