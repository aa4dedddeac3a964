import * as z from 'zod/mini';
import { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import type { TokenAnswer } from './token-exchange.ts';

/** What a device authorization endpoint answered (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  readonly deviceCode: Secret;
  /** what the person types; printable ASCII */
  readonly userCode: string;
  /** where it is typed; https, or http on this computer where the sandbox plays Microsoft */
  readonly verificationUri: string;
  /** milliseconds since the epoch */
  readonly expiresAt: number;
  readonly intervalMs: number;
}

type ReadDevice =
  | { readonly kind: 'ok'; readonly device: DeviceAuthorization }
  /** `why` is a whole sentence */
  | { readonly kind: 'unreadable'; readonly why: string };

/** What one poll of the token endpoint came to (RFC 8628 section 3.5). */
export type PollVerdict =
  | { readonly kind: 'granted' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'slow-down' }
  | { readonly kind: 'declined' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown-code' }
  /** the server's own bad moment: the next poll may be better */
  | { readonly kind: 'hiccup'; readonly waitMs: number | undefined }
  | { readonly kind: 'refused' };

const seconds = z.union([z.number(), z.string().check(z.regex(/^\d{1,7}$/))]);

const authorizationBody = z.object({
  device_code: z.string().check(z.minLength(1), z.maxLength(8192), z.regex(/^[\x21-\x7E]+$/)),
  user_code: z.string(),
  verification_uri: z.string().check(z.maxLength(2000)),
  expires_in: seconds,
  interval: z.catch(z.optional(seconds), undefined),
});

/** RFC 8628 section 3.2: five seconds where the server names none. */
const usualIntervalSeconds = 5;
const longestLifeSeconds = 86_400;

/**
 * @param receivedAt milliseconds since the epoch
 * @param loopbackToo the sandbox: its page is plain http on this computer
 */
export function readDeviceAuthorization(body: unknown, receivedAt: number, loopbackToo: boolean): ReadDevice {
  const read = authorizationBody.safeParse(body);
  if (!read.success) return { kind: 'unreadable', why: 'It is not the answer of a device code endpoint.' };
  const { device_code, user_code, verification_uri, expires_in, interval } = read.data;
  const userCode = user_code.trim();
  if (!/^[\x21-\x7e]{4,40}$/.test(userCode)) return { kind: 'unreadable', why: 'Its code is none that a person could type.' };
  const verificationUri = shownAddress(verification_uri, loopbackToo);
  if (verificationUri === undefined) {
    return { kind: 'unreadable', why: `It names ${plain(verification_uri, 80)} as the page for the code; only https addresses are shown.` };
  }
  const life = Number(expires_in);
  if (!(life > 0)) return { kind: 'unreadable', why: 'Its code has no life time.' };
  return {
    kind: 'ok',
    device: {
      deviceCode: new Secret(device_code),
      userCode,
      verificationUri,
      expiresAt: receivedAt + Math.min(life, longestLifeSeconds) * 1000,
      intervalMs: Math.min(Math.max(Number(interval ?? usualIntervalSeconds), 1), 300) * 1000,
    },
  };
}

/** The address as a person may be sent to it: https without a user name; URL writes every odd character as %XX or punycode. */
function shownAddress(address: string, loopbackToo: boolean): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return undefined;
  const here = loopbackToo && url.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname);
  return url.protocol === 'https:' || here ? url.href : undefined;
}

/** By the OAuth error, as Microsoft asks for; the AADSTS numbers are for the words only. */
export function judgePoll({ error }: Pick<TokenAnswer, 'error'>): PollVerdict {
  if (error === undefined) return { kind: 'granted' };
  switch (error.error) {
    case 'authorization_pending':
      return { kind: 'pending' };
    case 'slow_down':
      return { kind: 'slow-down' };
    case 'authorization_declined':
    case 'access_denied':
      // Entra also says access_denied for a policy or a missing approval; only the number tells (65004: pressed Cancel).
      return error.codes?.some((code) => code !== 65004) === true && error.error === 'access_denied'
        ? { kind: 'refused' }
        : { kind: 'declined' };
    case 'expired_token':
    case 'code_expired':
      return { kind: 'expired' };
    case 'bad_verification_code':
      return { kind: 'unknown-code' };
  }
  const { status = 0, retryAfter } = error;
  const busy = status === 429 || status >= 500 || error.error === 'temporarily_unavailable' || error.error === 'server_error';
  return busy ? { kind: 'hiccup', waitMs: retryAfter === undefined ? undefined : retryAfter * 1000 } : { kind: 'refused' };
}
