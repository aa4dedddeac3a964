import { Exit } from '../../../core/errors.ts';
import { again, byShell, line, mailauth } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** Where a connection was going. `purpose` is what for: "the sign-in service". */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly purpose?: string | undefined;
  /** the proxy that the connection leads through */
  readonly through?: string | undefined;
}

/** What a server's certificate says, for the words of an error. */
export interface CertificateSeen {
  readonly issuer?: string | undefined;
  /** as the certificate has them: `Nov 27 02:00:00 2026 GMT` */
  readonly validFrom?: string | undefined;
  readonly validTo?: string | undefined;
  /** the server sent no certificate but its own */
  readonly alone?: boolean | undefined;
}

/** Where a proxy is in use, it is asked before the firewall. */
const orProxy = (v: Where, otherwise: string): string =>
  v.through === undefined
    ? otherwise
    : `The connection leads through the proxy ${v.through}: it may hold this host or port back, or open TLS where it should not.`;

const exemption = (v: Where): string[] =>
  v.through === undefined ? [] : [`Ask for an exemption of ${v.host}:${v.port}, or name the host in NO_PROXY.`];

const target = (v: Where): string => (v.purpose === undefined ? `${v.host}:${v.port}` : `${v.purpose} (${v.host}:${v.port})`);

const atStart = (v: Where): string => target(v).replace(/^the /, 'The ');

/** Tries every host, the proxy, the certificates and the clock, and names what is wrong on this computer. */
const lookHere = mailauth('doctor');
const oneMoreTime = again();
const moreTime = again({ timeout: 60 });

/** A wrong password is 407 with most proxies, and 401 with tinyproxy. */
const wantsSignIn = ({ status }: { readonly status?: number | undefined }): boolean => status === 407 || status === 401;
const lacksBasic = ({ offers = [] }: { readonly offers?: readonly string[] | undefined }): boolean =>
  offers.length > 0 && !offers.includes('basic');

export const networkEntries = {
  'dns-failed': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    codes: ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ENONAME'],
    says: ['Could not resolve host', 'Name or service not known', 'No such host is known', 'nodename nor servname provided'],
    title: (v) => `${v.host} cannot be found`,
    why: () => 'No name server knows this host: a wrong name, no network, or a proxy that must be used.',
    next: () => [lookHere, 'Behind a proxy, set HTTPS_PROXY to its address.'],
  }),
  'no-network': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    codes: ['EAI_AGAIN', 'EAI_FAIL', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ESERVFAIL', 'ETIMEOUT'],
    says: ['Temporary failure in name resolution', 'Network is unreachable', 'No route to host'],
    title: (v) => `${atStart(v)} cannot be reached`,
    why: () => 'This computer has no working network, or its name server does not answer.',
    next: () => [lookHere, oneMoreTime],
  }),
  'connect-refused': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    codes: ['ECONNREFUSED'],
    says: ['connect EACCES', 'connect EPERM', 'Connection refused', 'actively refused it'],
    title: (v) => `${atStart(v)} refuses the connection`,
    why: (v) => `Nothing listens on port ${v.port} there, or a firewall refuses the connection.`,
    next: () => [lookHere, 'Ask whoever runs the firewall to allow this host and port.'],
  }),
  'connect-timeout': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    codes: ['ETIMEDOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
    says: ['Connection timed out', 'Operation timed out'],
    title: (v) => `${atStart(v)} does not answer in time`,
    why: (v) => orProxy(v, 'Often a firewall drops the packets, or a proxy must be used.'),
    next: (v) => [lookHere, moreTime, ...exemption(v)],
  }),
  'connection-closed': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    codes: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED'],
    says: ['socket hang up', 'Connection reset by peer', 'forcibly closed by the remote host'],
    title: (v) => `${atStart(v)} closed the connection before it had answered`,
    why: (v) => orProxy(v, 'The server restarts, or a firewall or a proxy cuts the connection.'),
    next: (v) => [lookHere, oneMoreTime, ...exemption(v)],
  }),
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
      'self-signed certificate',
      'unable to verify the first certificate',
      'unable to get local issuer certificate',
      'unable to get issuer certificate',
      'certificate signed by unknown authority',
    ],
    hints: ['certificate verify failed'],
    title: (v) => `The certificate of ${v.host} is not trusted`,
    why: (v) => {
      const who =
        v.issuer === undefined
          ? 'Its authority is not known to this computer'
          : `It was issued by "${v.issuer}", which this computer does not know`;
      const incomplete = v.alone === true ? ' Or the server does not send the certificate of its intermediate authority.' : '';
      return `${who}: a company proxy or an antivirus program that opens TLS, or an impostor.${incomplete}`;
    },
    next: () => [
      lookHere,
      "If it is your company's own authority, name its PEM file in NODE_EXTRA_CA_CERTS.",
      'If the system trusts it: NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt on Debian, or NODE_USE_SYSTEM_CA=1 from Node.js 22.15 on.',
    ],
    retryHelps: false,
  }),
  'tls-hostname': entry<Where>({
    exit: Exit.failed,
    source: sources.certificates,
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    says: ["does not match certificate's altnames", 'no alternative certificate subject name matches', 'certificate name does not match'],
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
    says: ['wrong version number', 'tlsv1 alert protocol version', 'sslv3 alert handshake failure', 'no protocols available'],
    hints: ['unsupported protocol'],
    title: (v) => `No secure connection to ${target(v)}`,
    why: (v) =>
      v.through === undefined
        ? 'The other side does not speak TLS 1.2 or newer on this port.'
        : `The proxy ${v.through} opened the way, but what answers does not speak TLS 1.2 or newer: the proxy's own page, or a wrong port.`,
    next: (v) =>
      v.purpose === 'the proxy'
        ? [lookHere, 'In HTTPS_PROXY, write http:// before the name: few proxies speak TLS themselves.']
        : [lookHere, ...exemption(v)],
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
  'proxy-refused': entry<
    Where & { proxy: string; status?: number | undefined; offers?: readonly string[] | undefined; given?: boolean | undefined }
  >({
    exit: Exit.failed,
    source: sources.proxy,
    says: [
      { words: '407 Proxy Authentication Required', means: { status: 407 } },
      { words: 'HTTP code 407 from proxy after CONNECT', means: { status: 407 } },
    ],
    hints: ['Proxy Authentication Required', 'from proxy after CONNECT'],
    title: (v) => `The proxy ${v.proxy} does not let mailauth connect to ${v.host}:${v.port}`,
    why: (v) => {
      if (v.status === undefined) return 'Whatever answers there is not a proxy.';
      if (!wantsSignIn(v)) return `It answered ${v.status}.`;
      if (lacksBasic(v))
        return `It takes only ${v.offers?.join(' and ')} (${v.status}), which needs Windows or Kerberos; mailauth can send a name and a password only.`;
      return v.given === true
        ? `It does not accept the name and the password in HTTPS_PROXY (${v.status}).`
        : `It asks for a name and a password (${v.status}).`;
    },
    next: (v) => {
      if (!wantsSignIn(v)) return [lookHere, `Ask for CONNECT to ${v.host}:${v.port}, or name the host in NO_PROXY.`];
      if (lacksBasic(v))
        return [
          lookHere,
          'Let a helper on this computer sign in to the proxy, such as cntlm or px, and name its address in HTTPS_PROXY. Or ask for an exemption.',
        ];
      return [lookHere, 'Give them in HTTPS_PROXY, as http://name:password@host:port, with @ as %40 and / as %2F.'];
    },
  }),
  'proxy-broken': entry<{ why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'HTTPS_PROXY is not the address of a usable proxy',
    why: (v) => v.why,
    next: () => [
      byShell(line`unset HTTPS_PROXY HTTP_PROXY`, line`Remove-Item Env:HTTPS_PROXY, Env:HTTP_PROXY`),
      'Set HTTPS_PROXY to the whole address, with http:// before the name and the port behind it.',
    ],
    retryHelps: false,
  }),
  'response-too-large': entry<Where>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${atStart(v)} sends an answer that is too long`,
    why: () => 'The answer is longer than 1 MiB, so this is not the expected service.',
    next: () => [lookHere],
  }),
  'http-failed': entry<Where>({
    exit: Exit.temporary,
    source: sources.nodeErrors,
    title: (v) => `The conversation with ${target(v)} failed`,
    why: () => 'The answer is not valid HTTP, or it was cut off.',
    next: () => [lookHere, oneMoreTime],
  }),
};
