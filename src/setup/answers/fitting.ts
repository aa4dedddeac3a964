import { isPersonal } from '../../core/links.ts';
import { type ClientType, isLoopback, type MailboxKey } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { productNamed } from '../../products/products.ts';
import { type Answers, checkRedirectUri } from './answers.ts';
import type { Flags } from './question.ts';

/** Throws what the ways to sign in, the redirect URI and the product do not go together with (exit 2). */
export function requireFitting(answers: Answers): void {
  const { for: product, mailbox, register: way, redirectUri, signIn } = answers;
  const verdict = redirectUri === undefined ? true : checkRedirectUri(redirectUri);
  if (verdict !== true) throw problem('redirect-not-accepted', { uri: redirectUri ?? '', why: verdict });
  const proof = way === 'auto' && wantsProof(answers);
  const noPage = (signIn === 'browser' && !isHere(redirectUri) && !proof) || (signIn === 'paste' && redirectUri === undefined);
  if (noPage) throw problem('redirect-not-here', { uri: redirectUri ?? '', mailbox, for: product });
  if (signIn === 'password' && productNamed(product)?.signInWays.includes('password') !== true)
    throw problem('password-not-here', { product, mailbox });
  if (signIn === 'device') requireDevice(answers, answers.clientType);
}

/** The product catches the redirect itself, and a person signs in on this computer first to prove the registration. */
export const wantsProof = ({ signIn, redirectUri, clientType }: Pick<Answers, 'signIn' | 'redirectUri' | 'clientType'>): boolean =>
  (signIn === 'browser' || signIn === 'paste') && clientType === 'confidential' && !isHere(redirectUri);

const isHere = (redirectUri: string | undefined): boolean => redirectUri !== undefined && isLoopback(redirectUri);

/** Throws `device-not-here`, `device-confidential` (exit 2): said before anything begins. */
function requireDevice(key: MailboxKey, clientType: ClientType): void {
  const guide = productNamed(key.for);
  const again = mailauth('setup', { mailbox: key.mailbox, for: key.for, signIn: false, qr: false });
  if (guide?.signInWays.includes('device') !== true) throw problem('device-not-here', { product: guide?.title ?? key.for, again });
  if (clientType === 'confidential') throw problem('device-confidential', { again });
}

/** Products that ask mailauth for the token; the others sign in themselves, as a person. */
const ownPrograms = ['this-computer', 'custom'];

/**
 * What app-only access does not go with, said before anything is looked up. `flags`: as given. Throws `app-only-not-here`,
 * `app-only-personal`, `usage` (exit 2).
 */
export function requireAppOnly({ mailbox, for: product, tenant = '' }: Pick<Answers, 'mailbox' | 'for' | 'tenant'>, flags: Flags): void {
  if (!ownPrograms.includes(product)) {
    throw problem('app-only-not-here', { product: productNamed(product)?.title ?? product, mailbox, for: product });
  }
  if (isPersonal({ tenant })) throw problem('app-only-personal', { mailbox });
  const clashes: readonly (readonly [flag: string, given: boolean, why: string])[] = [
    ['--client-type public', flags.clientType === 'public', 'a public client cannot show who it is'],
    ['--sign-in-as', flags.signInAs !== undefined, 'no person signs in'],
    [`--sign-in ${flags.signIn}`, flags.signIn !== undefined && flags.signIn !== 'skip', 'no person signs in'],
    ['--redirect-uri', flags.redirectUri !== undefined, 'no person signs in, so nothing is redirected'],
  ];
  const [clash] = clashes.filter(([, given]) => given);
  if (clash === undefined) return;
  throw problem('usage', {
    message: `--access app-only does not go with ${clash[0]}: ${clash[2]}`,
    help: mailauth('setup', { mailbox, access: 'app-only' }),
  });
}
