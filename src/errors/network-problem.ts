import { errorCode, Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import type { CertificateSeen, Where } from './catalogue/machine/network-words.ts';
import { entryThatSays, entryWithCode, type ProblemCode, problem } from './problem.ts';

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
  | 'tls-client-certificate'
  | 'tls-failed'
>;

const networkCodes = [
  'dns-failed',
  'no-network',
  'connect-refused',
  'connect-timeout',
  'connection-closed',
  'tls-hostname',
  'tls-expired',
  'tls-untrusted',
  'tls-client-certificate',
  'tls-failed',
] as const satisfies readonly NetworkCode[];

/**
 * What a failed connection means. `cause` is whatever Node or OpenSSL threw; an error of ours and Ctrl-C are
 * answered as they are. Of a certificate that is not taken, `where` has what it says.
 */
export function networkProblem(cause: unknown, where: Where & CertificateSeen): MailauthError | Interrupted {
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
  const code = errorCode(error);
  if (code === undefined) return undefined;
  return entryWithCode(code, networkCodes) ?? entryThatSays(error.message, ['connect-refused'])?.code;
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

/** OpenSSL's own form: `80DC…:error:0A00045C:SSL routines:ssl3_read_bytes:the reason:../deps/…/rec_layer_s3.c:1601:` */
const withoutNoise = (message: string): string => /^[0-9A-F]{6,}:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;

function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(wordsOf).join('; ');
  if (cause instanceof Error) return withoutNoise(cause.message);
  return typeof cause === 'string' ? cause : '';
}
