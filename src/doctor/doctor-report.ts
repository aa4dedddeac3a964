import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { allShown, type Surroundings } from '../core/shown.ts';
import { rfc3339 } from '../core/time.ts';
import type { CheckResult } from './check.ts';
import { variables } from './check-environment.ts';
import { forStrangers, type Private } from './redact-report.ts';

/** The first line of every report. A file that begins differently is not a report of mailauth. */
const firstLine = '# mailauth doctor report';

interface ReportFacts {
  readonly version: string;
  readonly clouds: readonly string[];
  readonly sandbox: boolean;
  readonly results: readonly CheckResult[];
  readonly records: readonly MailboxRecord[];
}

type Needs = Pick<Context, 'machine' | 'platform' | 'env' | 'clock' | 'surroundings'>;

/**
 * The whole report: Markdown with one block of plain text, so that nothing a server said becomes markup in a ticket.
 * Without addresses, tokens, secrets, the user's name and home folder.
 */
export function reportText(facts: ReportFacts, ctx: Needs): string {
  const set = variables(ctx.env);
  const hidden: Private = {
    machine: ctx.machine,
    values: set.filter((one) => one.private).map(({ name }) => ({ name, value: ctx.env[name] ?? '' })),
  };
  const { machine, platform } = ctx;
  const lines = [
    `mailauth   ${facts.version}${facts.sandbox ? ', in the sandbox' : ''}`,
    `Node.js    ${machine.node}`,
    `System     ${platform} ${machine.release} ${machine.arch}`,
    `Cloud      ${facts.clouds.join(', ')}`,
    `Set        ${set.length === 0 ? 'no variable' : set.map(({ name }) => name).join(' ')}`,
    '',
    ...(facts.records.length === 0 ? ['No mailbox is set up.'] : facts.records.map(mailboxLine)),
    '',
    ...facts.results.flatMap((result) => checkLines(result, ctx.surroundings)),
  ];
  const body = lines.map((line) => forStrangers(line, hidden).replaceAll('`', "'"));
  const at = rfc3339(ctx.clock.now());
  const head = `Written at ${at}. Addresses, tokens, secrets, names of users and private values are left out.`;
  return `${[firstLine, head, `\`\`\`text\n${body.join('\n')}\n\`\`\``].join('\n\n')}\n`;
}

/** Which store, which protocols, how the last tests went; the address is masked with the rest of the line. */
function mailboxLine({ mailbox, for: product, cloud, store, protocols, registration, lastTests }: MailboxRecord): string {
  const tests = lastTests.map((t) => `${t.protocol} ${t.ok ? 'ok' : `failed (${t.code ?? 'unknown'})`}`);
  const facts = [cloud.name, store, protocols.join('+'), `${registration.clientType} client`];
  return `Mailbox    ${mailbox} for ${product}: ${facts.join(', ')}; last tests: ${tests.length === 0 ? 'none' : tests.join(', ')}`;
}

function checkLines({ id, state, ms, detail, why, next = [] }: CheckResult, here: Surroundings): readonly string[] {
  return [
    `${state.padEnd(8)} ${id.padEnd(12)} ${ms} ms`,
    `  ${detail}`,
    ...(why === undefined ? [] : [`  ${why}`]),
    ...(state === 'ok' ? [] : allShown(next, here).map((line, i) => `  ${i === 0 ? 'try' : ' or'}: ${line}`)),
  ];
}

/** What the report's place holds now: nothing, an earlier report, or a file of somebody else. */
export async function placeFor(file: string, { files }: Pick<Context, 'files'>): Promise<'free' | 'ours' | 'taken'> {
  const text = await files.read(resolve(file));
  if (text === undefined) return 'free';
  return text.startsWith(`${firstLine}\n`) ? 'ours' : 'taken';
}

/** Mode 0600, whole or not at all; answers the absolute path. Throws the disk's own errors. */
export async function writeReport(file: string, text: string, { files }: Pick<Context, 'files'>): Promise<string> {
  const path = resolve(file);
  await files.writeAtomic(path, text);
  return path;
}
