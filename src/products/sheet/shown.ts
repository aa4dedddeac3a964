import { Secret } from '../../core/secret.ts';
import { mask, type SheetField } from './sheet.ts';

export interface Reveal {
  /** print the client secret's value: only when the operator asked for it */
  readonly reveal: boolean;
}

/** What a reader sees of a field's value. */
export function shownValue({ value, secret }: SheetField, { reveal }: Reveal): string {
  if (value instanceof Secret) return reveal ? value.reveal() : `${mask}  (masked: --reveal shows it)`;
  return secret === true ? `${mask}  (${value})` : value;
}

/** Something to copy, or words about it? Decides whether it is set like a value. */
export function isCopied(field: SheetField, { reveal }: Reveal): boolean {
  if (field.secret === true) return reveal && field.value instanceof Secret;
  return field.how !== 'own' && !/^(none\b|the password of )/.test(String(field.value));
}

/** What to do with a field that is not simply filled in. */
export const howWords: Readonly<Record<SheetField['how'], string>> = {
  enter: '',
  choose: 'choose',
  compare: 'compare',
  own: 'your choice',
};

/** Between the value and the note of a field. */
export const hintOf = (field: SheetField): string => [howWords[field.how], field.note].filter((word) => word).join(': ');
