import { defined } from '../core/defined.ts';
import { guidPattern, plain } from '../core/text.ts';
import { suggestedPauseMs } from '../mail/mail-refusal.ts';

/** The values of one error that its own text names beyond doubt. */
export interface Values {
  readonly clientId?: string;
  readonly tenant?: string;
  /** who signed in, or tried to */
  readonly account?: string;
  /** the mailbox that was asked for */
  readonly user?: string;
  readonly redirectUri?: string;
  readonly host?: string;
  readonly port?: number;
  readonly waitMs?: number;
  readonly correlationId?: string;
  /** RFC 3339, UTC */
  readonly at?: string;
}

const domain = '[a-z0-9][a-z0-9-]{0,62}(?:\\.[a-z0-9][a-z0-9-]{0,62}){1,6}';
const address = "[\\w.%+'-]{1,64}@[a-z0-9][a-z0-9.-]{1,190}[a-z0-9]";

/** Only values inside sentences of Microsoft, Exchange or Node count: a bare address or ID in the text may belong to anybody. */
const readers = {
  clientId: [
    new RegExp(`(?:application|client|app)(?: with identifier| with ID| ID| application)?\\s+['"]?(${guidPattern})`, 'gi'),
    new RegExp(`(?:client_?id|app_?id|application_?id)["']?\\s{0,3}[=:]\\s{0,3}["']?(${guidPattern})`, 'gi'),
  ],
  tenant: [
    new RegExp(`(?:in the directory|in the tenant|in tenant|tenant named|^tenant|\\bTenant)\\s+['"](${guidPattern}|${domain})['"]`, 'gi'),
    new RegExp(`https://login\\.(?:microsoftonline|partner\\.microsoftonline)\\.[a-z]{2,3}/(${guidPattern}|${domain})/`, 'gi'),
    new RegExp(`tenant_?id["']?\\s{0,3}[=:]\\s{0,3}["']?(${guidPattern})`, 'gi'),
  ],
  account: [
    new RegExp(`user account\\s+['"{]?(${address})`, 'gi'),
    new RegExp(`(${address}) not allowed to send as`, 'gi'),
    new RegExp(`user_?principal_?name["']?\\s{0,3}[=:]\\s{0,3}["']?(${address})`, 'gi'),
  ],
  user: [new RegExp(`not allowed to send as (${address})`, 'gi')],
  redirectUri: [/(?:redirect URI|reply URL|reply address)\s+['"]?(https?:\/\/[^'"\s?#]{1,300})/gi],
  host: [
    new RegExp(`(?:ENOTFOUND|EAI_AGAIN|Could not resolve host:) (${domain})`, 'g'),
    new RegExp(`(?:getaddrinfo for|UnknownHostException:|lookup|connect to host, port:|Failed to connect to) (${domain})`, 'g'),
    new RegExp(`Host: (${domain})\\. is not in the cert`, 'g'),
    new RegExp(`(?:E[A-Z]{4,14}) (${domain}|\\d{1,3}(?:\\.\\d{1,3}){3}):\\d{1,5}\\b`, 'g'),
  ],
  port: [new RegExp(`(?:E[A-Z]{4,14}) (?:${domain}|\\d{1,3}(?:\\.\\d{1,3}){3}|::1):(\\d{1,5})\\b`, 'g')],
  correlationId: [new RegExp(`Correlation[ _]?ID["']?\\s{0,3}[:=]\\s{0,3}["']?(${guidPattern})`, 'gi')],
  at: [/Timestamp["']?\s{0,3}[:=]\s{0,3}["']?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ)/gi],
} as const;

/** `text`: readable, of this one error, at most a few kilobytes. A value that is named in two different ways is not known. */
export function valuesIn(text: string): Values {
  // A terminal's line breaks stand in the middle of sentences.
  const flat = text.replace(/\s+/g, ' ');
  const one = (name: keyof typeof readers): string | undefined => {
    const found = new Set(readers[name].flatMap((reader) => [...flat.matchAll(reader)].map((match) => match[1]?.toLowerCase() ?? '')));
    const [only = ''] = found;
    return found.size === 1 && only !== '' ? plain(only, 200) : undefined;
  };
  const [port, at, waitMs] = [one('port'), one('at'), suggestedPauseMs(flat)];
  return defined({
    clientId: one('clientId'),
    tenant: one('tenant'),
    account: one('account'),
    user: one('user'),
    redirectUri: one('redirectUri'),
    host: one('host'),
    port: port === undefined ? undefined : Number(port),
    waitMs,
    correlationId: one('correlationId'),
    at: at === undefined ? undefined : at.toUpperCase().replace(' ', 'T'),
  });
}
