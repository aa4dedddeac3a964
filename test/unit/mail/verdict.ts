import { expect } from 'vitest';
import type { MailHost, Protocol } from '../../../src/core/cloud.ts';
import type { Clock } from '../../../src/core/context.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ProtocolResult } from '../../../src/mail/result.ts';
import { type StageName, stageOrder } from '../../../src/mail/stages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { xoauth2 } from '../../../src/tokens/sasl.ts';

export const user = 'helpdesk@contoso.example';
export const token = new Secret(`eyJ0eXAiOiJKV1QifQ.${'c2VjcmV0'.repeat(40)}.c2lnbmF0dXJl`);
export const sasl = xoauth2(user, token).reveal();
export const escapes = '\x1b[31mred\x1b]0;title\x07\u202e';
/** a refusal that explains itself first, as Dovecot and Google do it */
export const challengeJson = Buffer.from(JSON.stringify({ status: `401${escapes}`, schemes: 'bearer', scope: 'mail' })).toString('base64');

/** Neither the token nor a control character of a server is in what people and programs get to see. */
export function expectClean(result: ProtocolResult): void {
  const shown = JSON.stringify(result) + JSON.stringify(result.error) + String(result.error?.stack) + String(result.error?.cause);
  expect(shown).not.toContain(token.reveal().slice(20, 40));
  expect(shown).not.toContain(sasl.slice(40, 60));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(JSON.stringify(result)).not.toMatch(/\\u001b|\x1b|\\u202e|\u202e/);
}

/** `auth: smtp-authenticate-failed 4`, and that everything before is ok and everything behind skipped. */
export function verdict(result: ProtocolResult): string {
  const at = result.stages.findIndex((s) => s.state === 'failed');
  const before = result.stages.slice(0, at).filter((s) => s.name !== 'send');
  expect(before.every((s) => s.state === 'ok')).toBe(true);
  expect(result.stages.slice(at + 1).every((s) => s.state === 'skipped')).toBe(true);
  expect(result.ok).toBe(false);
  expect(result.diagnosis?.code).toBe(result.error?.code);
  expect(result.diagnosis?.next.length).toBeGreaterThan(0);
  return `${result.stages[at]?.name}: ${result.error?.code} ${result.error?.exit}`;
}

export const details = (result: ProtocolResult): Record<string, string> => Object.fromEntries(result.stages.map((s) => [s.name, s.detail]));

/** Time passes in this stage only: its deadline comes soon, however slow the machine is before. */
export function deadlineIn(
  stage: StageName,
  protocol: Protocol,
  security: MailHost['security'] = 'tls',
): { clock: Clock; onStage: () => void } {
  const order = stageOrder(protocol, security);
  let done = 0;
  const clock: Clock = { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(order[done] === stage ? 100 : 60_000, signal) };
  const onStage = (): void => {
    done += 1;
  };
  return { clock, onStage };
}
