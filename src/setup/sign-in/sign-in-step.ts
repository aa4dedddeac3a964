import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { isLoopback, type MailboxRecord, signerOf, type TokenSet } from '../../core/mailbox.ts';
import type { Command } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import type { Secret } from '../../core/secret.ts';
import { type DeviceOptions, deviceSignIn, qr } from '../../oauth/device.ts';
import { type OtherAccount, type SignInRequest, signIn } from '../../oauth/sign-in.ts';
import type { SignInWay } from '../../products/product.ts';
import type { Journal } from '../journal/journal.ts';
import { requestFor } from './registered-setup.ts';
import { untilRightAccount } from './wrong-account.ts';

interface SignInStep {
  readonly deps: Run & { readonly device?: DeviceOptions };
  readonly cloud: Cloud;
  readonly method: 'browser' | 'paste' | 'device';
  readonly selectAccount: boolean;
  readonly clientSecret?: Secret;
  /** as far as is known, the app is not allowed for the whole organization */
  readonly approvalHint?: boolean;
  /** the command that does it again */
  readonly again: Command;
  /** stores the tokens and writes the mailbox file, which names who signed in; the browser's last page waits for it */
  keep(tokens: TokenSet, record: MailboxRecord): Promise<void>;
  /** that another account signed in is written down; `login` has no journal */
  readonly journal?: Pick<Journal, 'wrongAccount'>;
}

/** How a person signs in for tokens that are kept. */
export const signInMethod = (signIn: SignInWay | undefined): SignInStep['method'] =>
  signIn === 'paste' || signIn === 'device' ? signIn : 'browser';

/** How a browser is reached for everything else: consent, a proof, an administrator. */
export const browserMethod = (signIn: SignInWay | undefined): 'browser' | 'paste' => (signIn === 'paste' ? 'paste' : 'browser');

export interface SignedIn {
  /** names the account that a person said is right, where it is another one than was expected */
  readonly record: MailboxRecord;
  readonly set: TokenSet;
}

/** Signs in for a record and has the tokens kept. After a wrong account a person may try again, or say that it is right. */
export function signInAndKeep(record: MailboxRecord, step: SignInStep): Promise<SignedIn> {
  const { deps, journal, selectAccount } = step;
  return untilRightAccount<SignedIn>(record, {
    deps,
    selectAccount,
    ...defined({ journal }),
    attempt: async (choose, seen) => ({ record, set: await signInOnce(record, { ...step, selectAccount: choose }, seen) }),
    async accept(other) {
      const set = other.tokens();
      const named = { ...record, signInAs: other.username.toLowerCase() };
      await step.keep(set, named);
      return { record: named, set };
    },
  });
}

async function signInOnce(record: MailboxRecord, step: SignInStep, seen: (other: OtherAccount) => void): Promise<TokenSet> {
  const request = { ...(await requestFor(record, step)), again: step.again, seen };
  const { method } = step;
  const set = await (method === 'device' ? byDevice(request, step, record) : byBrowser(request, { ...step, method }, record));
  if (set.refreshToken === undefined) {
    step.deps.report.note(
      'Microsoft gave no refresh token (offline_access is missing): a person must sign in again when this token expires.',
    );
  }
  return set;
}

type Request = Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes' | 'alsoConsent' | 'again' | 'seen'>;

function byBrowser(
  request: Request,
  { deps, approvalHint, method, selectAccount, keep }: SignInStep & { readonly method: 'browser' | 'paste' },
  record: MailboxRecord,
): Promise<TokenSet> {
  const { redirectUri } = record.registration;
  // Entra keeps people on this page and tells the app only when they leave it.
  if (approvalHint === true) {
    deps.report.note('If the page says "Need admin approval", press "Return to the application without granting consent" there.');
  }
  return signIn(
    deps.ctx,
    {
      ...request,
      redirectUri,
      loopback: isLoopback(redirectUri),
      method,
      selectAccount,
      waitMs: deps.browserTimeoutMs,
      canAsk: deps.asksForAddress ?? deps.canAsk,
    },
    {
      ...{ report: deps.report, step: 'sign-in' },
      atAddress: `Sign in as ${signerOf(record)}, in a browser, at this address:`,
      inBrowser: `Sign in there as ${signerOf(record)}.`,
    },
    (tokens) => keep(tokens, record),
  );
}

function byDevice(request: Request, { deps, keep }: SignInStep, record: MailboxRecord): Promise<TokenSet> {
  const { ctx, report, device } = deps;
  const who = record.signInAs ?? record.mailbox;
  return deviceSignIn(
    ctx,
    { ...request, waitMs: device?.waitMs, shown: async (uri, code) => device?.shown?.(uri, code, who) },
    {
      async codeRequired({ verificationUri, userCode }, deadline) {
        report.progress(
          'sign-in',
          'waiting',
          `Sign in as ${signerOf(record)}: open this address on any device and type the code below it.`,
        );
        report.authorizationRequired(verificationUri, deadline, userCode);
        if (device?.qr === true) report.show(await qr(verificationUri));
        report.progress('sign-in', 'waiting', `The code is valid ${until(deadline, ctx.clock.now())}.`);
      },
      report,
      step: 'sign-in',
    },
    (tokens) => keep(tokens, record),
  );
}

/** `until 23:55, 15 minutes`, in the time of this machine. */
function until(deadline: number, now: number): string {
  const at = new Date(deadline);
  const clock = [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
  const seconds = Math.max(1, Math.round((deadline - now) / 1000));
  const minutes = Math.round(seconds / 60);
  const left = seconds < 60 ? `${seconds} second${seconds === 1 ? '' : 's'}` : `${minutes} minute${minutes === 1 ? '' : 's'}`;
  return `until ${clock}, ${left}`;
}
