import * as z from 'zod/mini';
import { namedCloud } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { mailauth } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import type { ProblemCode } from '../errors/problem.ts';
import type { FaultArea, ListedFault } from '../sandbox/faults/fault.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import { type CommandModule, examples, type Outcome } from '../session/command.ts';
import type { Session } from '../session/session.ts';
import { renderFacts } from '../ui/tables.ts';
import type { Theme } from '../ui/theme.ts';

const schema = z.object({ listFaults: z.optional(z.boolean()) });

export const sandbox: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth sandbox                           until Ctrl-C; other --sandbox commands join it',
      'mailauth sandbox --list-faults             how it misbehaves with --fault',
      'mailauth setup --sandbox --yes             starts a sandbox of its own',
    ]).option('--list-faults', 'the names for --fault, and what the operator sees'),

  async run({ flags }, session) {
    if (schema.parse(flags).listFaults === true) return listFaults();
    const { openSandbox } = await import('../sandbox/start-sandbox.ts');
    const { ctx, globals, home } = session;
    const box = await openSandbox({ ctx, home, announce: true, ...defined({ fault: globals.fault }) });
    try {
      await announceAndWait(box, session);
    } finally {
      await box.close();
    }
    return {};
  },
};

async function announceAndWait(box: Sandbox, session: Session): Promise<void> {
  const facts = factsOf(box);
  if (session.globals.json) session.ctx.out.write(`${JSON.stringify({ type: 'listening', ...Object.fromEntries(facts) })}\n`);
  else {
    const { themeFor } = await import('../ui/theme.ts');
    const theme = themeFor(session.ctx, session.ctx.out, session.globals.noColor);
    session.ctx.out.write(
      `The sandbox is running. Nothing here is Microsoft; every name and secret is worthless.\n\n${renderFacts(facts, theme)}\n`,
    );
    session.report.note('Ctrl-C stops it. In another terminal:', shown(mailauth('setup', { sandbox: true }), session.ctx.surroundings));
  }
  await new Promise<never>((_, reject) => {
    const stop = () => reject(session.ctx.signal.reason);
    if (session.ctx.signal.aborted) stop();
    session.ctx.signal.addEventListener('abort', stop, { once: true });
  });
}

interface Told extends ListedFault {
  /** the title of the error, with words in capitals for values; null where mailauth gets over the fault by itself */
  readonly title: string | null;
  readonly exit: number;
  /** the error of `token get`, for a mailbox that worked before */
  readonly refresh: Seen | undefined;
}

interface Seen {
  readonly code: ProblemCode;
  readonly title: string;
  readonly exit: number;
}

const anybody = { cloud: namedCloud('public'), tenant: 'contoso.com', again: mailauth('setup'), otherWays: [] };

async function listFaults(): Promise<Outcome> {
  const [{ sandboxFaults }, { adminRefusalOf }, { explained }, { adminRefusal }, { refreshMeaning }, { asSysExit }] = await Promise.all([
    import('../sandbox/faults/faults.ts'),
    import('../sandbox/faults/faults-token.ts'),
    import('../explain/fill.ts'),
    import('../oauth/admin-refusal.ts'),
    import('../tokens/refresh-refusal.ts'),
    import('../sending/sysexits.ts'),
  ]);
  const known = { cloud: namedCloud('public') };
  const seenOf = (code: ProblemCode | undefined, means = {}, area?: FaultArea): Seen | undefined => {
    const named = code === undefined ? undefined : explained(code, means, known)?.error;
    const error = named !== undefined && area === 'send' ? asSysExit(named) : named;
    return code === undefined || error === undefined ? undefined : { code, title: error.title, exit: error.exit };
  };
  const faults: readonly Told[] = sandboxFaults.map((fault) => {
    const seen = seenOf(fault.sees, fault.means, fault.area);
    const aadsts = adminRefusalOf(fault.name);
    // The administrator's refusals are one entry, whose exit code follows from the number.
    const exit = aadsts === undefined ? seen?.exit : adminRefusal({ error: 'invalid_grant', codes: [aadsts] }, anybody).exit;
    const meaning = fault.area === 'token' && fault.sees !== undefined ? refreshMeaning(fault.sees) : undefined;
    return { ...fault, title: seen?.title ?? null, exit: exit ?? 0, refresh: seenOf(meaning) };
  });
  const data = faults.map(({ name, area, what, sees, title, exit, refresh }) => ({
    ...{ name, area, what, code: sees ?? null, title, exit },
    ...defined({ refresh }),
  }));
  return { data: { faults: data }, text: (theme) => renderFaults(faults, theme) };
}

const headings: Readonly<Record<FaultArea, string>> = {
  'sign-in': 'Sign-in page, consent and discovery (setup, login)',
  administrator: "The administrator's own sign-in (setup, secret rotate, logout --delete-app)",
  token: 'Token endpoint (token get --force-refresh, login)',
  'app-only': 'App-only access (setup --access app-only, test)',
  device: 'Device code (login --sign-in device)',
  graph: 'Microsoft Graph (setup, secret rotate)',
  exchange: 'Exchange Online (exchange show, exchange apply, exchange undo)',
  imap: 'IMAP (test imap)',
  pop: 'POP (test pop)',
  smtp: 'SMTP (test smtp)',
  send: 'A whole message (send)',
  connection: 'Connection and certificates (any)',
};

/** Two lines each: what the server does, and what the operator sees of it. */
function renderFaults(faults: readonly Told[], theme: Theme): string {
  const width = Math.max(...faults.map((fault) => fault.name.length)) + 2;
  const below = (line: string): string => `  ${' '.repeat(width)}${line}\n`;
  const lineOf = ({ name, what, sees, title, exit, refresh }: Told): string => {
    const seen =
      title === null ? theme.dim('nothing: mailauth waits and goes on') : `${theme.cyan(title)} ${theme.dim(`(${sees}, exit ${exit})`)}`;
    const later =
      refresh === undefined ? '' : below(`token get: ${theme.cyan(refresh.title)} ${theme.dim(`(${refresh.code}, exit ${refresh.exit})`)}`);
    return `  ${name.padEnd(width)}${what}\n${below(seen)}${later}`;
  };
  const areas = [...new Set(faults.map((fault) => fault.area))];
  const groupOf = (area: FaultArea) =>
    faults
      .filter((fault) => fault.area === area)
      .map(lineOf)
      .join('');
  return areas.map((area) => `${theme.bold(headings[area])}\n${groupOf(area)}`).join('\n');
}

function factsOf(box: Sandbox): readonly (readonly [string, string])[] {
  return [
    ['Sign-in (authority)', `${box.cloud.login}/${box.tenant.id}`],
    ['Tenant domains', box.tenant.domains.join(', ')],
    ['IMAP', `${box.cloud.imap.host}:${box.cloud.imap.port} TLS`],
    ['POP', `${box.cloud.pop.host}:${box.cloud.pop.port} TLS`],
    ['SMTP', `${box.cloud.smtp.host}:${box.cloud.smtp.port} STARTTLS`],
    ['Authority (PEM)', box.caFile],
    ['Mailbox', box.defaultMailbox],
    ['Public app', box.ready.public.clientId],
    ['Confidential app', `${box.ready.confidential.clientId}, redirect ${box.ready.confidential.redirectUri}`],
  ];
}
