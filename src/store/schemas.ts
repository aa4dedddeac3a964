import * as z from 'zod/mini';
import { protocolWords } from '../core/cloud.ts';
import { storeNames } from '../core/stores.ts';
import { problem } from '../errors/problem.ts';

/**
 * The content of a file that mailauth wrote, or why it cannot be used. The caller decides what a missing file means. `newer`: a later version
 * wrote it, in a format of that number. Such a file is never written, replaced or removed.
 */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'broken'; readonly why: string; readonly newer?: number };

/** Reads JSON text by its schema. `why` names the place and never quotes the content. `known`: the highest version that this mailauth writes. */
export function parseJsonFile<T>(text: string, schema: z.ZodMiniType<T>, known = 1): Parsed<T> {
  if (text.trim() === '') return { kind: 'broken', why: 'it is empty' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'broken', why: 'it is not JSON' };
  }
  const read = schema.safeParse(json);
  if (read.success) return { kind: 'ok', value: read.data };
  const newer = newerFormat(json, known);
  if (newer !== undefined) return { kind: 'broken', why: `a newer version of mailauth wrote it (format ${newer})`, newer };
  const place = read.error.issues[0]?.path.join('.') ?? '';
  return { kind: 'broken', why: place === '' ? 'it is not an object' : `its field "${place}" is missing or wrong` };
}

/** The `version` of what a later mailauth wrote; undefined where this one could have written it. */
export function newerFormat(json: unknown, known = 1): number | undefined {
  if (typeof json !== 'object' || json === null || !('version' in json)) return undefined;
  const { version } = json;
  return typeof version === 'number' && version > known ? version : undefined;
}

/** What a later mailauth wrote is neither used nor written over: throws `written-by-newer`. `what` names the file or the entry. */
export function refuseNewerFormat(read: Parsed<unknown> | undefined, what: string): void {
  if (read?.kind === 'broken' && read.newer !== undefined) throw problem('written-by-newer', { what, format: read.newer });
}

/** JSON that a person can read, with a newline at its end. */
export const toJsonFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A time in RFC 3339, in the form that `Date` reads. */
export const timeSchema = z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)), 'not a time'));

export const accountSchema = z.object({
  username: z.string(),
  objectId: z.exactOptional(z.string()),
  tenantId: z.exactOptional(z.string()),
});

export const authoritySchema = z.object({
  login: z.string(),
  tenantId: z.string(),
  clientId: z.exactOptional(z.string()),
  graph: z.string(),
  imap: z.string(),
  pop: z.string(),
  smtp: z.string(),
});

const protocol = z.enum(protocolWords);

const mailHost = z.object({
  host: z.string().check(z.minLength(1)),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  security: z.enum(['tls', 'starttls']),
});

export const cloudSchema = z.object({
  name: z.string(),
  login: z.string(),
  graph: z.string(),
  portal: z.string(),
  outlookScopeBase: z.string(),
  exchangeAdmin: z.exactOptional(z.string()),
  imap: mailHost,
  pop: mailHost,
  smtp: mailHost,
  verified: z.boolean(),
});

const madeSchema = z.object({
  tag: z.string(),
  applicationObjectId: z.exactOptional(z.string()),
  servicePrincipalId: z.exactOptional(z.string()),
  grantIds: z.array(z.string()),
});

export const registrationSchema = z.object({
  clientId: z.string().check(z.minLength(1)),
  clientType: z.enum(['public', 'confidential']),
  redirectUri: z.string(),
  secretExpiresAt: z.exactOptional(timeSchema),
  certificateThumbprint: z.exactOptional(z.string()),
  name: z.exactOptional(z.string()),
  audience: z.exactOptional(z.enum(['single', 'multi', 'multi-and-personal', 'personal'])),
  variant: z.exactOptional(z.string()),
  serviceManagementReference: z.exactOptional(z.string()),
  publicClientFlows: z.exactOptional(z.boolean()),
  secretKeyId: z.exactOptional(z.string()),
  oldSecretKeyId: z.exactOptional(z.string()),
  madeByMailauth: z.boolean(),
  shared: z.exactOptional(z.literal(true)),
  made: z.exactOptional(madeSchema),
});

/** The mailbox file. Unknown fields are tolerated and left out: a newer mailauth may have written them. */
export const mailboxFileSchema = z.object({
  version: z.literal(1),
  mailbox: z.string().check(z.minLength(1)),
  for: z.string().check(z.minLength(1)),
  access: z.exactOptional(z.literal('app-only')),
  label: z.exactOptional(z.string()),
  tenantId: z.string(),
  cloud: cloudSchema,
  endpoints: z.object({ issuer: z.string(), authorization: z.string(), token: z.string() }),
  registration: registrationSchema,
  protocols: z.array(protocol),
  scopes: z.array(z.string()),
  signInAs: z.exactOptional(z.string()),
  account: z.exactOptional(accountSchema),
  smtpUser: z.exactOptional(z.string()),
  store: z.enum(storeNames),
  createdAt: timeSchema,
  lastTests: z.array(z.object({ at: timeSchema, protocol, ok: z.boolean(), code: z.exactOptional(z.string()) })),
  refused: z.exactOptional(z.object({ at: timeSchema, code: z.string() })),
});
