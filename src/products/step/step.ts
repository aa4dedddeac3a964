import { defined } from '../../core/defined.ts';
import type { NextStep } from '../../core/next.ts';
import { Secret } from '../../core/secret.ts';
import { type ShownStep, type Surroundings, stepsShown } from '../../core/shown.ts';
import { printable } from '../../core/text.ts';

/** One thing that a person does in one place: a screen of the Entra portal, a form of the product, lines for PowerShell. */
export interface Step {
  readonly title: string;
  /** the menu words of the portal, the place in the product, or the prompt */
  readonly where: string;
  readonly link?: string;
  /** what to do before the fields, in order */
  readonly actions?: readonly string[];
  readonly fields: readonly StepField[];
  /** the mistake that people make at this very step */
  readonly trap?: string;
  /** what to do once the fields are filled in, in order */
  readonly press: readonly NextStep[];
}

/** One field of a form. */
export interface StepField extends FieldValue {
  /** the word that the form itself uses, to the letter */
  readonly label: string;
  /** what to do with the value: `enter` it (default), `choose` it from a list, `compare` it with what stands there, or use `own` words */
  readonly how?: 'enter' | 'choose' | 'compare' | 'own';
  /** the mistake that people make at this very field */
  readonly note?: string;
}

export interface FieldValue {
  /** a `Secret` is masked unless it is to be revealed */
  readonly value: string | Secret;
  /** what kind of secret belongs here; a client secret is masked also where its value is not at hand */
  readonly secret?: 'client-secret' | 'password';
  /** a line for a shell: it is copied, so it stays in one piece */
  readonly command?: true;
}

export interface Reveal {
  /** print the client secret's value: only when the operator asked for it */
  readonly reveal: boolean;
}

const mask = '********';

/** What a reader sees of a field's value. */
export function shownValue({ value, secret }: StepField, { reveal }: Reveal): string {
  if (value instanceof Secret) return reveal ? value.reveal() : `${mask}  (masked: --reveal shows it)`;
  return secret === 'client-secret' ? `${mask}  (${value})` : value;
}

/** Whether the value is something to copy, and not words about it: this decides whether it is set like code. */
export function isCopied({ value, secret, how }: StepField, { reveal }: Reveal): boolean {
  if (secret !== undefined) return reveal && value instanceof Secret;
  return how !== 'own' && !/^none\b/.test(String(value));
}

/** Words for what to do with a value that is not simply entered. */
export const howWords: Readonly<Record<NonNullable<StepField['how']>, string>> = {
  enter: '',
  choose: 'choose',
  compare: 'compare',
  own: 'your choice',
};

/** What stands beside or below the value of a field. */
export const hintOf = ({ how = 'enter', note }: StepField): string => [howWords[how], note].filter((word) => word).join(': ');

/** A step that is ready to be read: without control characters, its commands in the words of the shell in use. */
export interface PrintedStep extends Omit<Step, 'press'> {
  readonly press: readonly ShownStep[];
}

/** What a person does before the fields is never a command. */
export const sentences = (texts: readonly string[]): readonly ShownStep[] => texts.map((text) => ({ text, copied: false }));

/** Its values come from flags, files and the environment, which may hold any character. */
export function printedStep(step: Step, here: Surroundings): PrintedStep {
  return {
    ...step,
    title: printable(step.title),
    where: printable(step.where),
    ...defined({
      link: step.link === undefined ? undefined : printable(step.link),
      trap: step.trap === undefined ? undefined : printable(step.trap),
    }),
    fields: step.fields.map(printableField),
    press: stepsShown(step.press, here),
  };
}

const printableField = <F extends StepField>(field: F): F => ({
  ...field,
  label: printable(field.label),
  value: field.value instanceof Secret ? field.value : printable(field.value),
  ...defined({ note: field.note === undefined ? undefined : printable(field.note) }),
});

/** One step as data. Every member is there; what a step does not have is null or empty. */
export function stepJson(step: PrintedStep, reveal: Reveal) {
  const { title, where, link, actions, fields, press, trap } = step;
  return {
    ...{ title, where, link: link ?? null, actions: actions ?? [] },
    fields: fields.map((field) => fieldJson(field, reveal)),
    ...{ press: press.map(({ text }) => text), trap: trap ?? null },
  };
}

/** A masked secret is `value: null` with `secret: true`, never asterisks that somebody could paste. */
function fieldJson({ label, value, how, note, secret }: StepField, { reveal }: Reveal) {
  const hidden = value instanceof Secret ? !reveal : secret === 'client-secret';
  return {
    label,
    value: hidden ? null : value instanceof Secret ? value.reveal() : value,
    secret: secret === 'client-secret',
    how: how ?? 'enter',
    note: note ?? null,
  };
}
