import { fold } from '../../core/fold.ts';
import type { ShownStep } from '../../core/shown.ts';
import { howWords, isCopied, type PrintedStep, type StepField, sentences, shownValue } from '../step/step.ts';
import { numberedText, type StepTextOptions } from '../step/step-text.ts';
import type { Sheet } from './sheet.ts';

interface FinishOptions extends StepTextOptions {
  /** what a person does to see the client secret, which is masked here */
  readonly secretHint: string;
}

/**
 * What is left to do in the product, as short as it can be: where, the values by the names and in the order of its form, what to press. The
 * explanations, the renewal and the registration stand in the sheet (`renderSheetText` and the files). Ends with a newline.
 */
export function renderFinish(sheet: Sheet, options: FinishOptions): string {
  const { theme, columns } = options;
  const servers = serverRows(sheet);
  const labels = [...sheet.parts.flatMap(({ fields }) => fields), ...servers].map(({ label }) => label.length);
  const width = Math.max(0, ...labels) + 2;
  const blocks = sheet.parts.map((step, i) => {
    const fields = i === 0 ? [...step.fields, ...servers] : step.fields;
    const before = i === 0 ? sentences(sheet.shared) : [];
    return [
      `  ${fold(`${step.title}: ${placeIn(step, sheet)}`, columns, 2)}`,
      ...fields.map((field) => fieldLine(field, width, options)),
      ...numberedText([...before, ...step.press].map(shortened), options),
    ].join('\n');
  });
  const notes = sheet.notes.map(
    ({ title }) => `  ${theme.yellow(theme.signs.warning)} ${fold(`${title}: the sheet says what it needs.`, columns, 4)}\n`,
  );
  return `${blocks.join('\n\n')}\n${notes.join('')}`;
}

/** The title of a step names the product already. */
const placeIn = ({ where }: PrintedStep, { product }: Sheet): string =>
  where.startsWith(`${product}: `) ? where.slice(product.length + 2) : where;

/** The mail servers, unless the form itself asks for them; and their user name, unless it asks for that. */
function serverRows({ parts, servers, mailbox }: Sheet): readonly StepField[] {
  const values = parts.flatMap(({ fields }) => fields.map(({ value }) => value));
  if (servers.some(({ host }) => values.includes(host))) return [];
  const rows = servers.map(({ protocol, host, port, security, user }) => {
    const name = user === mailbox ? '' : `, user name ${user}`;
    return { label: protocol, value: `${host}:${port} ${security}${name}` };
  });
  return [...rows, ...(values.includes(mailbox) || rows.length === 0 ? [] : [{ label: 'User name', value: mailbox }])];
}

function fieldLine(field: StepField, width: number, { theme, columns, reveal, secretHint }: FinishOptions): string {
  const how = howWords[field.how ?? 'enter'];
  const shown = shownValue(field, { reveal });
  const isMasked = field.secret === 'client-secret' && !isCopied(field, { reveal });
  // What the product fills in by itself is only looked at, and the sheet has it.
  const isList = field.how === 'compare' && shown.includes(' ');
  const value = isMasked ? `********  (${secretHint})` : isList ? 'leave as it is' : `${shown}${how === '' ? '' : ` (${how})`}`;
  // A word that has no room beside its label gets a line of its own; an address goes on at the edge anyway.
  const isTooWide = !value.includes(' ') && !value.includes('://') && width + 2 + value.length > columns;
  if (isTooWide) return `  ${theme.dim(field.label)}\n    ${value}`;
  return `  ${theme.dim(field.label.padEnd(width))}${value.includes('://') ? value : fold(value, columns, width + 2)}`;
}

/** The first sentence: what stands behind it explains it. */
const shortened = ({ text, copied }: ShownStep): ShownStep => ({
  text: copied ? text : (/^.*?[^.](?=\. [A-Z"])/s.exec(text)?.[0] ?? text),
  copied,
});
