import type { Cloud } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { rfc3339 } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { type Check, failed, ok, warned } from './check.ts';

/** Entra and Kerberos accept a clock that is wrong by this much. Beyond it, fresh tokens look expired or not valid yet. */
const toleranceMs = 300_000;

/** This computer's clock against the Date header of the sign-in service (RFC 9110 section 6.6.1). */
export function clockCheck(
  cloud: Cloud,
  { clock, network, platform, timeoutMs }: Pick<Context, 'clock' | 'platform'> & { readonly network: Network; readonly timeoutMs: number },
): Check {
  return {
    id: 'clock',
    title: 'Clock',
    async run(signal) {
      const { host } = new URL(cloud.login);
      const before = clock.now();
      let date: string | undefined;
      try {
        const url = `${cloud.login}/common/v2.0/.well-known/openid-configuration`;
        date = (await network.request({ method: 'GET', url, timeoutMs, signal })).headers.date;
      } catch (error) {
        if (!(error instanceof MailauthError)) throw error;
        // The check of the host has failed already, so this one only says that it does not know.
        return warned(problem('clock-unknown', { host, why: error.title }));
      }
      const there = Date.parse(date ?? '');
      if (Number.isNaN(there)) return warned(problem('clock-unknown', { host, why: 'Its answer has no date.' }));
      const here = (before + clock.now()) / 2;
      const times = `${rfc3339(here)} here, ${rfc3339(there)} at ${host}`;
      const off = here - there;
      if (Math.abs(off) > toleranceMs) return failed(problem('clock-wrong', { off: roughly(off), ahead: off > 0, times, platform }));
      return ok(times);
    },
  };
}

/** `25 minutes`, `3 hours`, `2 days` */
function roughly(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
}
