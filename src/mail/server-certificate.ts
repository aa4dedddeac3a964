import type { TLSSocket } from 'node:tls';
import { plain } from '../core/text.ts';

/** `TLSv1.3, certificate of localhost by mailauth test CA, valid until 2026-12-21 (29 days)`. `now` in milliseconds since the epoch. */
export function describeTls(socket: TLSSocket, now: number): string {
  const version = socket.getProtocol() ?? 'TLS';
  const certificate = socket.getPeerCertificate();
  // An empty object where there is none (Node documentation), whatever its type says.
  if (!('valid_to' in certificate)) return version;
  const until = Date.parse(certificate.valid_to);
  const issuer = first(certificate.issuer.CN) ?? first(certificate.issuer.O) ?? 'an unnamed authority';
  const subject = first(certificate.subject.CN) ?? 'an unnamed host';
  const lifetime = Number.isNaN(until)
    ? ''
    : `, valid until ${new Date(until).toISOString().slice(0, 10)} (${Math.floor((until - now) / 86_400_000)} days)`;
  return plain(`${version}, certificate of ${subject} by ${issuer}${lifetime}`);
}

function first(name: string | readonly string[] | undefined): string | undefined {
  return typeof name === 'object' ? name[0] : name;
}
