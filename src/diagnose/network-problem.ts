import { Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import type { Where } from './catalogue/network.ts';
import { type ProblemCode, problem } from './problem.ts';

type NetworkCode = Extract<
  ProblemCode,
  | 'dns-failed'
  | 'no-network'
  | 'connect-refused'
  | 'connect-timeout'
  | 'connection-closed'
  | 'tls-hostname'
  | 'tls-expired'
  | 'tls-untrusted'
  | 'tls-failed'
>;

/** Node's, OpenSSL's and undici's codes by what they mean for a person (Node documentation, "Errors" and "TLS"). */
const meanings: Readonly<Record<NetworkCode, readonly string[]>> = {
  'dns-failed': ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ENONAME'],
  'no-network': ['EAI_AGAIN', 'EAI_FAIL', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ESERVFAIL', 'ETIMEOUT'],
  'connect-refused': ['ECONNREFUSED', 'EACCES', 'EPERM'],
  'connect-timeout': [
    'ETIMEDOUT',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_BODY_TIMEOUT',
  ],
  'connection-closed': ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED'],
  'tls-hostname': ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
  'tls-expired': ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
  'tls-untrusted': [
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
  'tls-failed': ['EPROTO'],
};

const byCode = new Map<string, NetworkCode>();
for (const name of Object.keys(meanings) as NetworkCode[]) for (const code of meanings[name]) byCode.set(code, name);

/**
 * What a failed connection means. `cause` is whatever Node, OpenSSL or undici threw; an error of ours and Ctrl-C are
 * answered as they are. `issuer` names the authority of a certificate that is not trusted.
 */
export function networkProblem(cause: unknown, where: Where & { readonly issuer?: string | undefined }): MailauthError | Interrupted {
  if (cause instanceof MailauthError || cause instanceof Interrupted) return cause;
  const more = { detail: { reply: plain(wordsOf(cause)) }, cause };
  for (const error of chain(cause)) {
    if (error instanceof MailauthError || error instanceof Interrupted) return error;
    const name = meaning(error);
    if (name !== undefined) return problem(name, where, more);
  }
  return problem('http-failed', where, more);
}

function meaning(error: unknown): NetworkCode | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') return 'connect-timeout';
  if (!('code' in error) || typeof error.code !== 'string') return undefined;
  if (/^(?:ERR_SSL_|ERR_TLS_)/.test(error.code) && error.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return 'tls-failed';
  return byCode.get(error.code);
}

/** The error, then what it wraps: `cause`, and the attempts of a connection to several addresses. At most 20. */
function chain(cause: unknown): readonly unknown[] {
  const found: unknown[] = [];
  const todo: unknown[] = [cause];
  while (todo.length > 0 && found.length < 20) {
    const error = todo.shift();
    if (error === undefined || found.includes(error)) continue;
    found.push(error);
    if (error instanceof AggregateError) todo.push(...error.errors);
    if (error instanceof Error) todo.push(error.cause);
  }
  return found;
}

function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(wordsOf).join('; ');
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' ? cause : '';
}
