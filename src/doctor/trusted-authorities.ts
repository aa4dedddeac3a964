import { type DetailedPeerCertificate, rootCertificates, type TLSSocket } from 'node:tls';
import { plain } from '../core/text.ts';

/** No sane chain is longer; a hostile one may be. */
const longestChain = 12;

/**
 * The authority at the end of a certificate's chain when it is none of Node's own: a company's proxy that opens TLS,
 * or a laboratory. undefined when Node brings it along, or when the chain's end was not sent and is not known.
 */
export function foreignAuthority(socket: Pick<TLSSocket, 'getPeerCertificate'>): string | undefined {
  let certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
  for (let depth = 0; depth < longestChain; depth += 1) {
    // An empty object where there is none (Node documentation), whatever its type says.
    if (!('raw' in certificate)) return undefined;
    const issuer = 'issuerCertificate' in certificate ? certificate.issuerCertificate : undefined;
    if (issuer === undefined) return undefined;
    if (issuer.fingerprint256 === certificate.fingerprint256) return isNodes(certificate.raw) ? undefined : nameOf(certificate);
    certificate = issuer;
  }
  return undefined;
}

function isNodes(der: Buffer): boolean {
  const wanted = der.toString('base64');
  return rootCertificates.some((pem) => pem.replace(/-----[A-Z ]+-----|\s+/g, '') === wanted);
}

function nameOf({ subject }: DetailedPeerCertificate): string {
  const name: unknown = subject.CN ?? subject.O;
  const first: unknown = Array.isArray(name) ? name[0] : name;
  return typeof first === 'string' && first !== '' ? plain(first, 120) : 'an unnamed authority';
}
