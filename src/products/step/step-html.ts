import type { ShownStep } from '../../core/shown.ts';
import { addressHtml, commandHtml, escapeHtml } from '../../core/text.ts';
import { howWords, isCopied, type PrintedStep, type Reveal, type StepField, sentences, shownValue } from './step.ts';

/** One step as a section of a page, everything escaped. `secretAt`: the part of the page that says how to see a client secret that is masked. */
export function stepHtml({ title, where, actions = [], fields, trap, press }: PrintedStep, reveal: Reveal, secretAt?: string): string {
  const blocks = [
    `<h2>${escapeHtml(title)}</h2>`,
    `<p class="where">${pathHtml(where)}</p>`,
    ...(actions.length === 0 ? [] : [numberedHtml(sentences(actions))]),
    ...(fields.length === 0 ? [] : [fieldsHtml(fields, reveal, secretAt)]),
    ...(trap === undefined ? [] : [`<p class="careful"><strong>Careful.</strong> ${escapeHtml(trap)}</p>`]),
    ...(fields.length > 0 && press.length > 0 ? ['<h3>Then</h3>'] : []),
    ...(press.length === 0 ? [] : [numberedHtml(press)]),
  ];
  return `<section>\n${blocks.join('\n')}\n</section>`;
}

/** Menu paths read better with a real arrow; the words stay as the product writes them. */
const pathHtml = (where: string): string => escapeHtml(where).replaceAll(' &#62; ', ' <span class="arrow">›</span> ');

/** What to do, in order, each with a box to tick on the page or on paper. */
export const numberedHtml = (steps: readonly ShownStep[]): string => `<ol>\n${steps.map(stepItem).join('\n')}\n</ol>`;

/** A click on a command selects it, so only the box beside it can be ticked. */
const stepItem = ({ text, copied }: ShownStep): string =>
  copied
    ? `<li><input type="checkbox" aria-label="Done">${commandHtml(text)}</li>`
    : `<li><label><input type="checkbox"><span>${escapeHtml(text)}</span></label></li>`;

export function fieldsHtml(fields: readonly StepField[], reveal: Reveal, secretAt?: string): string {
  const rows = fields.map((field) => {
    // A secret stays in one piece: whoever searches the page for it must find it.
    const shown = field.secret === 'client-secret' ? escapeHtml(shownValue(field, reveal)) : addresses(shownValue(field, reveal));
    const value = isCopied(field, reveal)
      ? `<code>${linked(shownValue(field, reveal), field) ?? shown}</code>`
      : `<span class="words">${shown}</span>`;
    const how = howWords[field.how ?? 'enter'];
    const pill = how === '' ? '' : ` <span class="how">${how}</span>`;
    const isHidden = field.secret === 'client-secret' && !isCopied(field, reveal);
    const see = isHidden && secretAt !== undefined ? ` <a class="see" href="#${secretAt}">How to see it</a>` : '';
    const note = field.note === undefined ? '' : `<p class="note">${escapeHtml(field.note)}</p>`;
    return `<div><dt>${escapeHtml(field.label)}${pill}</dt><dd>${value}${see}${note}</dd></div>`;
  });
  return `<dl>\n${rows.join('\n')}\n</dl>`;
}

/** Several addresses: each begins on a line of its own where they do not fit beside each other. */
const addresses = (value: string): string =>
  value.includes('://') && value.includes(' ')
    ? value
        .split(' ')
        .map((one) => `<span class="one">${addressHtml(one)}</span>`)
        .join(' ')
    : addressHtml(value);

/** Only our own page of the portal becomes a link, and only where it is https: a cloud file may say anything. */
function linked(value: string, { label }: StepField): string | undefined {
  return label === 'In the portal' && /^https:\/\//i.test(value)
    ? `<a href="${escapeHtml(value)}" rel="noreferrer">${addressHtml(value)}</a>`
    : undefined;
}
