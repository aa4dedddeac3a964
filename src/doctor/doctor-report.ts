import { resolve } from 'node:path';
import type { Context, Machine } from '../core/context.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { redact } from '../core/redact.ts';
import { allShown, type Surroundings } from '../core/shown.ts';
import { guidPattern, printable } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import type { CheckResult } from './check.ts';
import { variables, withoutPassword } from './check-environment.ts';

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

interface Private {
  readonly machine: Pick<Machine, 'user' | 'homeFolder'>;
  /** values that must not stand there, and what stands there instead: the name of the variable */
  readonly values: readonly { readonly value: string; readonly name: string }[];
}

const longestLine = 1200;

/** One line for strangers: no token, no address, no user name, no home folder, no value that is private, nothing but text. */
export function forStrangers(line: string, { machine, values }: Private): string {
  // A longer value comes before a shorter one that may be part of it.
  const hidden = values.filter(({ value }) => value.length > 2).sort((x, y) => y.value.length - x.value.length);
  const hide = (from: string, before: string, after: string) =>
    hidden.reduce((left, { value, name }) => replaceAll(left, printable(value), `[${name}]`, before, after), from);
  // Whole values come first, before other replacements change them. A domain that is part of an address is masked with the address.
  let text = hide(printable(line).slice(0, longestLine), '(?<![@.\\w-])', '(?![@\\w-])');
  text = redact(text)
    .replace(/[a-z][a-z0-9+.-]*:\/\/\S*@\S*/gi, withoutPassword)
    .replace(/[^\s@*'"<>()/\\,;:=]+@[\w-]+(?:\.[\w-]+)*/g, maskAddress);
  text = hide(text, '', '');
  if (machine.homeFolder.length > 1) text = replaceAll(text, machine.homeFolder, '~');
  text = text.replace(/([\\/](?:home|Users)[\\/])[^\\/\s'"]+/gi, '$1[user]').replace(new RegExp(`\\b${guidPattern}\\b`, 'gi'), '[id]');
  return hasName(machine.user) ? text.replace(new RegExp(`(?<![\\w-])${literal(machine.user)}(?![\\w-])`, 'gi'), '[user]') : text;
}

/** `helpdesk@contoso.com` → `h…@c….com`: enough to tell two apart, not enough to write to. */
export function maskAddress(address: string): string {
  const [local = '', domain = ''] = address.split('@');
  const ending = /\.[a-z]{2,12}$/i.exec(domain)?.[0] ?? '';
  return `${[...local][0] ?? ''}…@${[...domain][0] ?? ''}…${ending}`;
}

/** Nobody is called root. */
const hasName = (user: string): boolean => user.length > 1 && user !== 'root';
const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function replaceAll(text: string, what: string, by: string, before = '', after = ''): string {
  return what === '' ? text : text.replace(new RegExp(`${before}${literal(what)}${after}`, 'gi'), () => by);
}
