import { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';

/**
 * The XOAUTH2 initial response, base64: `user=` user ^A `auth=Bearer ` token ^A ^A.
 * A control character in the user name would let it add fields of its own: refused with `mail-user-name`.
 * Source: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth", SASL XOAUTH2.
 */
export function xoauth2(user: string, token: Secret): Secret {
  if (/\p{Cc}/u.test(user) || user === '') throw problem('mail-user-name', {});
  return new Secret(Buffer.from(`user=${user}\x01auth=Bearer ${token.reveal()}\x01\x01`, 'utf8').toString('base64'));
}

/**
 * A server's reply without the token, should the server repeat it: whole, as the SASL response, or a piece of
 * either of 16 characters or more. Call it before the text is cut, or a cut token is no longer recognised.
 */
export function withoutToken(text: string, user: string, token: Secret): string {
  const secrets = [token.reveal(), xoauth2(user, token).reveal()].filter((s) => s !== '');
  const whole = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
  return whole.replace(/[A-Za-z0-9+/=_.~-]{16,}/g, (run) => (secrets.some((secret) => sharesPiece(run, secret)) ? '[secret]' : run));
}

function sharesPiece(run: string, secret: string): boolean {
  for (let at = 0; at + 16 <= run.length; at++) {
    if (secret.includes(run.slice(at, at + 16))) return true;
  }
  return false;
}
