import { MailauthError } from '../../core/errors.ts';
import { isLoopback, type MailboxRecord } from '../../core/mailbox.ts';
import { openLoopback } from '../../oauth/loopback.ts';
import type { Answers } from '../answers/answers.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';

/**
 * Ports for a redirect URI that lasts for years: below those that systems give to outgoing connections (32768 on Linux, 49152 on Windows and
 * macOS; RFC 6335 section 6), so that none of them holds it at a later sign-in.
 */
const lowest = 20_000;
const count = 12_000;
const tries = 20;

/** `http://localhost:PORT` with a port that is free now, and the path. Throws `loopback-port-taken`, `loopback-refused`. */
export async function freeRedirect({ ctx }: Pick<SetupDeps, 'ctx'>, path: string): Promise<string> {
  const { random, clock, signal } = ctx;
  for (let left = tries; ; left -= 1) {
    const redirectUri = `http://localhost:${lowest + (random.bytes(4).readUInt32BE() % count)}`;
    try {
      const listener = await openLoopback({ redirectUri, random, clock, signal });
      await listener.close();
      return `${listener.redirectUri}${path}`;
    } catch (error) {
      if (left <= 1 || !(error instanceof MailauthError) || error.code !== 'loopback-port-taken') throw error;
    }
  }
}

/**
 * The answers with one fixed port where mailauth registers a confidential client of this computer: its redirect URI is on the Web platform,
 * which takes exactly what was registered. A port that was registered before stays.
 */
export async function withFixedPort(answers: Answers, existing: MailboxRecord | undefined, deps: Pick<SetupDeps, 'ctx'>): Promise<Answers> {
  const { redirectUri, register, clientType, access } = answers;
  if (register !== 'auto' || clientType !== 'confidential' || access === 'app-only') return answers;
  if (redirectUri === undefined || !hasNoPort(redirectUri)) return answers;
  const before = existing?.registration.redirectUri ?? '';
  const isSame = isLoopback(before) && !hasNoPort(before) && pathOf(before) === pathOf(redirectUri);
  return { ...answers, redirectUri: isSame ? before : await freeRedirect(deps, pathOf(redirectUri)) };
}

const hasNoPort = (uri: string): boolean => isLoopback(uri) && new URL(uri).port === '';

const pathOf = (uri: string): string => new URL(uri).pathname.replace(/^\/$/, '');
