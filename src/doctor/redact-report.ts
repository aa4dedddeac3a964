import type { Machine } from '../core/context.ts';
import { redact } from '../core/redact.ts';
import { guidPattern, printable } from '../core/text.ts';
import { withoutPassword } from './check-environment.ts';

export interface Private {
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
