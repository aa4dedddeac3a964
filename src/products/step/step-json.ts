import { Secret } from '../../core/secret.ts';
import type { PrintedStep, Reveal, StepField } from './step.ts';

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
