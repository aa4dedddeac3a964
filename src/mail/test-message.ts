import type { Clock, Random } from '../core/context.ts';

export interface TestMessage {
  /** with its angle brackets */
  readonly id: string;
  /** RFC 5322, lines ended by CRLF */
  readonly text: string;
}

/** The one small message of `--send-to`, ASCII only. Both addresses are without control characters and angle brackets. */
export function testMessage(from: string, to: string, { clock, random }: { clock: Clock; random: Random }): TestMessage {
  const id = `<${random.uuid()}@${from.split('@')[1] ?? 'mailauth.invalid'}>`;
  const lines = [
    `From: <${from}>`,
    `To: <${to}>`,
    'Subject: mailauth test message',
    `Date: ${new Date(clock.now()).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${id}`,
    // Keeps holiday notices from answering (RFC 3834 section 5).
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `"mailauth test smtp --send-to" sent this through ${from} with OAuth 2.`,
    'Nothing needs to be done; the message can be deleted.',
    '',
  ];
  return { id, text: lines.join('\r\n') };
}
