/** One set-up mailbox as monitoring systems see it. Times are milliseconds since the epoch. */
export interface MonitoredMailbox {
  readonly mailbox: string;
  readonly for: string;
  /** a person's name for the customer */
  readonly label?: string;
  /** left out: the store could not be read */
  readonly signedIn?: boolean;
  /** why no token can be had, where one should */
  readonly lost?: string;
  readonly accessTokenExpiresAt?: number;
  readonly refreshTokenIdleDeadline?: number;
  readonly secretExpiresAt?: number;
  readonly daysLeft: number | null;
  readonly lastTests: readonly { readonly protocol: string; readonly ok: boolean; readonly at: string }[];
}

interface PluginOutput {
  /** one line: the state, then performance data behind the bar */
  readonly text: string;
  readonly exit: 0 | 1 | 2 | 3;
}

/**
 * Nagios Plugin Development Guidelines: 0 OK, 1 WARNING (ends within `warnDays`), 2 CRITICAL (over, or lost), 3 UNKNOWN. `trouble` is what kept
 * the store or a file from being read.
 */
export function nagiosStatus(rows: readonly MonitoredMailbox[], warnDays: number, trouble?: string): PluginOutput {
  const days = (row: MonitoredMailbox): string => `${row.mailbox} ${Number(row.daysLeft) < 0 ? 'is over' : `${row.daysLeft} days`}`;
  const counted = rows.filter((row) => row.daysLeft !== null).sort((a, b) => Number(a.daysLeft) - Number(b.daysLeft));
  const over = counted.filter((row) => Number(row.daysLeft) < 0);
  const soon = counted.filter((row) => Number(row.daysLeft) < warnDays);
  const performance = counted.map((row) => `'${label(row)}'=${row.daysLeft};${warnDays};0`).join(' ');
  const line = (state: string, said: string) => `MAILAUTH ${state} - ${oneLine(said)}${performance === '' ? '' : ` | ${performance}`}\n`;
  const lost = rows.flatMap((row) => (row.lost === undefined ? [] : [`${row.mailbox}: ${row.lost}`]));
  const [next] = counted;
  if (lost.length + over.length > 0) return { text: line('CRITICAL', [...lost, ...soon.map(days)].join(', ')), exit: 2 };
  if (trouble !== undefined) return { text: line('UNKNOWN', trouble), exit: 3 };
  if (soon.length > 0) return { text: line('WARNING', soon.map(days).join(', ')), exit: 1 };
  if (rows.length === 0) return { text: line('UNKNOWN', 'no mailbox is set up'), exit: 3 };
  const many = rows.length === 1 ? '1 mailbox' : `${rows.length} mailboxes`;
  return { text: line('OK', next === undefined ? many : `${many}, the first to end: ${days(next)}`), exit: 0 };
}

const label = (row: MonitoredMailbox): string => `${row.mailbox}/${row.for}`.replaceAll(/['=|]/g, '_');
const oneLine = (text: string): string => text.replaceAll(/[\r\n|]+/g, ' ');

const csvColumns = [
  ...['mailbox', 'for', 'state', 'daysLeft', 'tenantId', 'clientId', 'signedIn', 'account', 'secretExpiresAt'],
  ...['refreshTokenIdleDeadline', 'accessTokenExpiresAt', 'store', 'waitsFor', 'since', 'label'],
] as const;

/**
 * A table for a spreadsheet (RFC 4180), with the names of `status --json`; a set-up that waits has the state `pending`. A value that begins
 * like a formula gets an apostrophe before it (OWASP, "CSV Injection").
 */
export function statusCsv(rows: readonly object[]): string {
  const cell = (value: unknown): string => {
    const text = value === undefined || value === null ? '' : String(value);
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+$/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const line = (cells: readonly string[]) => `${cells.join(',')}\r\n`;
  const values = rows.map((row) => new Map(Object.entries('waitsFor' in row ? { state: 'pending', ...row } : row)));
  return [line(csvColumns), ...values.map((row) => line(csvColumns.map((column) => cell(row.get(column)))))].join('');
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Prometheus text exposition format 0.0.4, for node_exporter's textfile collector. Times are seconds since the epoch. */
export function prometheusStatus(rows: readonly MonitoredMailbox[]): string {
  const of = (row: MonitoredMailbox) => ({ mailbox: row.mailbox, for: row.for });
  const labelled = rows.flatMap((row) => (row.label === undefined ? [] : [[{ ...of(row), label: row.label }, 1] as const]));
  const time = (pick: (row: MonitoredMailbox) => number | undefined): Sample[] =>
    rows.flatMap((row) => {
      const ms = pick(row);
      return ms === undefined ? [] : [[of(row), Math.floor(ms / 1000)] as const];
    });
  const tests = rows.flatMap((row) => row.lastTests.map((test) => ({ labels: { ...of(row), protocol: test.protocol }, test })));
  return [
    // A series of its own, to be joined to the others by mailbox and product: a label more on those would break the alerts that know them.
    metric('mailauth_mailbox_info', "The operator's own name for the customer.", labelled),
    metric(
      'mailauth_signed_in',
      'Whether tokens are stored.',
      rows.flatMap((row) => (row.signedIn === undefined ? [] : [[of(row), Number(row.signedIn)] as const])),
    ),
    metric(
      'mailauth_store_ok',
      'Whether the secret store could be read.',
      rows.map((row) => [of(row), Number(row.signedIn !== undefined)] as const),
    ),
    metric(
      'mailauth_sign_in_lost',
      'Whether tokens were kept here and none can be had now.',
      rows.map((row) => [of(row), Number(row.lost !== undefined)] as const),
    ),
    metric(
      'mailauth_access_token_expiry_seconds',
      'When the stored access token ends.',
      time((row) => row.accessTokenExpiresAt),
    ),
    metric(
      'mailauth_refresh_token_idle_deadline_seconds',
      'When the sign-in ends if it is not used.',
      time((row) => row.refreshTokenIdleDeadline),
    ),
    metric(
      'mailauth_client_secret_expiry_seconds',
      'When the client secret or certificate ends.',
      time((row) => row.secretExpiresAt),
    ),
    metric(
      'mailauth_days_left',
      'Whole days to the earliest of these.',
      rows.flatMap((row) => (row.daysLeft === null ? [] : [[of(row), row.daysLeft] as const])),
    ),
    metric(
      'mailauth_last_test_ok',
      'Whether the last test of the protocol was green.',
      tests.map(({ labels, test }) => [labels, Number(test.ok)] as const),
    ),
    metric(
      'mailauth_last_test_time_seconds',
      'When the protocol was last tested.',
      tests.map(({ labels, test }) => [labels, Math.floor(Date.parse(test.at) / 1000)] as const),
    ),
  ].join('');
}

function metric(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => {
    const inner = Object.entries(labels).map(
      ([key, text]) => `${key}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
    );
    return `${name}{${inner.join(',')}} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}
