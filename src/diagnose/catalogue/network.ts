import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';

/** Where a connection was going. `purpose` is what for: "the sign-in service". */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly purpose?: string | undefined;
}

const target = (v: Where): string => (v.purpose === undefined ? `${v.host}:${v.port}` : `${v.purpose} (${v.host}:${v.port})`);

const atStart = (v: Where): string => target(v).replace(/^the /, 'The ');

const environmentHelp = 'mailauth help environment';

export const networkEntries = {
  'dns-failed': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `${v.host} cannot be found`,
    why: () => 'No name server knows this host: a wrong name, no network, or a proxy that must be used.',
    next: () => [environmentHelp, 'behind a proxy: set HTTPS_PROXY=http://proxy:port'],
  }),
  'no-network': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `No way to ${target(v)}`,
    why: () => 'This computer has no working network, or its name server does not answer.',
    next: () => [environmentHelp, 'check the network and try again'],
  }),
  'connect-refused': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `${atStart(v)} refuses the connection`,
    why: (v) => `Nothing listens on port ${v.port} there, or a firewall says no.`,
    next: () => [environmentHelp, 'ask whoever runs the firewall to allow this host and port'],
  }),
  'connect-timeout': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `${atStart(v)} does not answer in time`,
    why: () => 'Often a firewall that drops packets, or a proxy that must be used.',
    next: () => [environmentHelp, 'try again, with more time: --timeout 60'],
  }),
  'connection-closed': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `${atStart(v)} closed the connection in the middle`,
    why: () => 'A server that restarts, or a firewall or proxy that cuts connections.',
    next: () => [environmentHelp, 'try again'],
  }),
  'tls-untrusted': entry<Where & { issuer?: string | undefined }>({
    exit: Exit.failed,
    title: (v) => `The certificate of ${v.host} is not trusted`,
    why: (v) =>
      v.issuer === undefined
        ? 'Its authority is not known to this computer: a company proxy that opens TLS, or an impostor.'
        : `It was issued by "${v.issuer}", which this computer does not know: a company proxy that opens TLS, or an impostor.`,
    next: () => [environmentHelp, "if it is your company's own authority: export NODE_EXTRA_CA_CERTS=/path/to/authority.pem"],
    retryHelps: false,
  }),
  'tls-hostname': entry<Where>({
    exit: Exit.failed,
    title: (v) => `The certificate of ${v.host} is for another host`,
    why: () => 'The name is wrong, or something between here and the server answers in its place.',
    next: () => [environmentHelp],
    retryHelps: false,
  }),
  'tls-expired': entry<Where>({
    exit: Exit.failed,
    title: (v) => `The certificate of ${v.host} is not valid today`,
    why: () => "It has expired or is not valid yet; often it is this computer's clock that is wrong.",
    next: () => [environmentHelp, 'check the date and time of this computer'],
    retryHelps: false,
  }),
  'tls-failed': entry<Where>({
    exit: Exit.failed,
    title: (v) => `No secure connection to ${target(v)}`,
    why: () => 'The other side does not speak TLS 1.2 or newer on this port.',
    next: () => [environmentHelp],
  }),
  'proxy-refused': entry<Where & { proxy: string; status?: number | undefined }>({
    exit: Exit.temporary,
    title: (v) => `The proxy ${v.proxy} does not let us through to ${v.host}:${v.port}`,
    why: (v) => {
      if (v.status === undefined) return 'What answers there does not speak like a proxy.';
      return v.status === 407 ? 'It wants a name and a password (407).' : `It answered ${v.status}.`;
    },
    next: (v) =>
      v.status === 407
        ? ['export HTTPS_PROXY=http://NAME:PASSWORD@proxy:port', environmentHelp]
        : [environmentHelp, `ask for CONNECT to ${v.host}:${v.port}, or name the host in NO_PROXY`],
  }),
  'proxy-broken': entry<{ why: string }>({
    exit: Exit.failed,
    title: () => 'HTTPS_PROXY is not the address of a usable proxy',
    why: (v) => v.why,
    next: () => ['export HTTPS_PROXY=http://proxy:3128', 'or take it away: unset HTTPS_PROXY HTTP_PROXY'],
    retryHelps: false,
  }),
  'response-too-large': entry<Where>({
    exit: Exit.failed,
    title: (v) => `${atStart(v)} sends more than an answer can be`,
    why: () => 'The answer is longer than 1 MiB: this is not the service we know.',
    next: () => [environmentHelp],
  }),
  'http-failed': entry<Where>({
    exit: Exit.temporary,
    title: (v) => `The conversation with ${target(v)} failed`,
    why: () => 'The answer is not HTTP as we know it, or was cut off.',
    next: () => [environmentHelp, 'try again'],
  }),
};
