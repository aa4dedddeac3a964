import { timingSafeEqual } from 'node:crypto';
import type { Endpoints } from '../core/cloud.ts';
import type { Random } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import { isGuid, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';

/** What the authorization endpoint said. Texts are as they came, only cut to a length: `plain()` or `escapeHtml` them before showing. */
export type AuthorizationAnswer = (
  | { readonly kind: 'code'; readonly code: Secret }
  /** the admin-consent page's answer; it proves nothing about who gave it */
  | { readonly kind: 'consented'; readonly tenant?: string }
  | {
      readonly kind: 'error';
      readonly error: string;
      readonly description?: string;
      /** Entra's `error_subcode`: `cancel` when the person pressed Cancel */
      readonly subcode?: string;
      readonly uri?: string;
    }
) & {
  /** `iss`: who says that it gave the answer (RFC 9207), where it says so */
  readonly issuer?: string;
};

export type ReadAnswer =
  | { readonly kind: 'answer'; readonly answer: AuthorizationAnswer }
  | { readonly kind: 'unreadable'; readonly why: 'none' | 'twice' | 'damaged' };

const longestCode = 8192;
const longest = { issuer: 1000, error: 200, error_description: 4000, error_subcode: 200, error_uri: 1000, tenant: 200 } as const;

/** 32 random bytes, base64url (RFC 6749 section 10.12). */
export function newState(random: Random): string {
  return random.bytes(32).toString('base64url');
}

/** True for exactly one `state` that equals ours. The comparison takes constant time; the length is not a secret. */
export function hasState(params: URLSearchParams, state: string): boolean {
  const [given, ...more] = params.getAll('state');
  if (given === undefined || more.length > 0) return false;
  const a = Buffer.from(given);
  const b = Buffer.from(state);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * RFC 6749 sections 4.1.2 and 4.1.2.1: one `code`, or one `error` with its companions. No parameter may come
 * twice (section 3.1); an empty one counts as left out. The state is judged apart, by `hasState`.
 */
export function readAuthorizationAnswer(params: URLSearchParams): ReadAnswer {
  const issuers = params.getAll('iss').filter(Boolean);
  if (issuers.length > 1) return { kind: 'unreadable', why: 'twice' };
  const read = readAnswer(params);
  const issuer = issuers[0]?.slice(0, longest.issuer);
  return read.kind === 'answer' ? { ...read, answer: { ...read.answer, ...defined({ issuer }) } } : read;
}

function readAnswer(params: URLSearchParams): ReadAnswer {
  const codes = params.getAll('code').filter(Boolean);
  const errors = params.getAll('error').filter(Boolean);
  if (codes.length + errors.length > 1) return { kind: 'unreadable', why: 'twice' };
  const [code] = codes;
  if (code !== undefined) return readCode(code);
  const [error] = errors;
  // `admin_consent=True` comes with failures too: the error is looked at first.
  if (error !== undefined) return readError(error, params);
  const consents = params.getAll('admin_consent');
  const tenants = params.getAll('tenant').filter(Boolean);
  if (consents.length > 1 || tenants.length > 1) return { kind: 'unreadable', why: 'twice' };
  if (consents[0]?.toLowerCase() !== 'true') return { kind: 'unreadable', why: 'none' };
  const tenant = tenants[0]?.slice(0, longest.tenant);
  return { kind: 'answer', answer: { kind: 'consented', ...defined({ tenant }) } };
}

/** Visible ASCII (RFC 6749 appendix A.11); Entra's codes are 1 to 2 KB. */
export function readCode(code: string): ReadAnswer {
  if (code.length > longestCode || !/^[\x21-\x7e]+$/.test(code)) return { kind: 'unreadable', why: 'damaged' };
  return { kind: 'answer', answer: { kind: 'code', code: new Secret(code) } };
}

function readError(error: string, params: URLSearchParams): ReadAnswer {
  const companion = (name: keyof typeof longest) => params.get(name)?.slice(0, longest[name]) || undefined;
  const description = companion('error_description');
  const subcode = companion('error_subcode');
  const uri = companion('error_uri');
  return {
    kind: 'answer',
    answer: {
      kind: 'error',
      error: error.slice(0, longest.error),
      ...defined({ description, subcode, uri }),
    },
  };
}

/**
 * Where the answer names who gave it, that must be who was asked: a page of another service could have led the browser here (RFC 9207 section
 * 2.4). Microsoft's issuer for many tenants has a blank in place of the tenant. Throws `answer-foreign`.
 */
export function refuseForeignIssuer({ issuer }: AuthorizationAnswer, asked: Pick<Endpoints, 'issuer'>, mailbox?: string): void {
  if (issuer === undefined) return;
  const [before = '', after] = asked.issuer.split('{tenantid}');
  const isAsked =
    after === undefined
      ? issuer === asked.issuer
      : issuer.startsWith(before) && issuer.endsWith(after) && isGuid(issuer.slice(before.length, issuer.length - after.length));
  if (!isAsked) throw problem('answer-foreign', { mailbox, why: `It comes from ${plain(issuer, 200)}, and ${asked.issuer} was asked.` });
}
