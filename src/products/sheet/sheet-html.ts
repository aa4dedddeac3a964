import { createHash } from 'node:crypto';
import { addressHtml, escapeHtml } from '../../core/text.ts';
import type { MailServer, Sheet, SheetField, SheetNote, SheetPart } from './sheet.ts';
import { style } from './sheet-html-style.ts';
import { howWords, isCopied, type Reveal, shownValue } from './shown.ts';

/** One page to keep with the change ticket: a single file, no scripts, nothing from elsewhere, everything escaped. */
export function renderSheetHtml(sheet: Sheet, reveal: Reveal): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const revealed =
    reveal.reveal && sheet.parts.some(({ fields }) => fields.some((field) => field.secret === true && isCopied(field, reveal)));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${text(sheet.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="kind">Hand-over sheet</p>
<h1>${text(sheet.product)}</h1>
<p class="mailbox">${addressHtml(sheet.mailbox)}</p>
${sheet.writtenAt === undefined ? '' : `<p class="written">Written ${text(sheet.writtenAt.slice(0, 16).replace('T', ' '))} UTC</p>\n`}</header>
${revealed ? '<p class="secret-inside" role="note"><strong>This page holds the client secret.</strong> Keep it like a password, and delete it when the product has the value.</p>\n' : ''}${sheet.parts.map((part, i) => partSection(part, i + 1, sheet.parts.length, reveal)).join('\n')}
${sheet.servers.length === 0 ? '' : serverSection(sheet.servers)}
${sheet.notes.map(noteSection).join('\n')}
${renewalSection(sheet)}
<section class="quiet">
<h2>Registered in Entra</h2>
${fieldList(sheet.registered, reveal)}
</section>
<footer>Made by mailauth on the computer that set this mailbox up. Values in boxes are selected whole by one click.</footer>
</main>
</body>
</html>
`;
}

const text = (value: string): string => escapeHtml(value);

function partSection(part: SheetPart, number: number, count: number, reveal: Reveal): string {
  const title = count === 1 ? 'Fill in' : `Fill in, part ${number} of ${count}`;
  return `<section>
<h2>${part.fields.length === 0 ? 'Use it' : title}</h2>
<p class="where">${path(part.where)}</p>
${part.fields.length === 0 ? '' : fieldList(part.fields, reveal)}
${part.trap === undefined ? '' : `<p class="careful"><strong>Careful.</strong> ${text(part.trap)}</p>`}
${part.press.length === 0 ? '' : `<h3>${part.fields.length === 0 ? 'In a terminal' : 'Then'}</h3>\n${steps(part.press)}`}
</section>`;
}

/** Menu paths read better with a real arrow; the words stay as the product writes them. */
const path = (where: string): string => text(where).replaceAll(' &#62; ', ' <span class="arrow">›</span> ');

function fieldList(fields: readonly SheetField[], reveal: Reveal): string {
  const rows = fields.map((field) => {
    // A secret stays in one piece: whoever searches the page for it must find it.
    const shown = field.secret === true ? text(shownValue(field, reveal)) : addresses(shownValue(field, reveal));
    const value = isCopied(field, reveal)
      ? `<code>${linked(shownValue(field, reveal), field) ?? shown}</code>`
      : `<span class="words">${shown}</span>`;
    const how = field.how === 'enter' ? '' : ` <span class="how">${howWords[field.how]}</span>`;
    const note = field.note === undefined ? '' : `<p class="note">${text(field.note)}</p>`;
    return `<div><dt>${text(field.label)}${how}</dt><dd>${value}${note}</dd></div>`;
  });
  return `<dl>\n${rows.join('\n')}\n</dl>`;
}

/** Each of several addresses begins on a line of its own where they do not fit beside each other. */
const addresses = (value: string): string =>
  value.includes('://') && value.includes(' ')
    ? value
        .split(' ')
        .map((one) => `<span class="one">${addressHtml(one)}</span>`)
        .join(' ')
    : addressHtml(value);

/** Only our own page of the portal becomes a link, and only where it is https: a cloud file may say anything. */
function linked(value: string, { label }: SheetField): string | undefined {
  return label === 'In the portal' && /^https:\/\//i.test(value)
    ? `<a href="${text(value)}" rel="noreferrer">${addressHtml(value)}</a>`
    : undefined;
}

function serverSection(servers: readonly MailServer[]): string {
  const rows = servers.map(
    (s) =>
      `<tr><th scope="row">${s.protocol}</th><td data-label="Server"><code>${addressHtml(s.host)}</code></td><td data-label="Port"><code>${s.port}</code></td><td data-label="Encryption">${s.security}</td><td data-label="User name"><code>${addressHtml(s.user)}</code></td></tr>`,
  );
  return `<section>
<h2>Mail servers</h2>
<div class="scroll"><table>
<thead><tr><td></td><th scope="col">Server</th><th scope="col">Port</th><th scope="col">Encryption</th><th scope="col">User name</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>
<p class="note">Sign-in method: ${text(servers[0]?.method ?? '')}</p>
</section>`;
}

function noteSection(note: SheetNote): string {
  const commands = note.commands.length === 0 ? '' : `\n<pre>${note.commands.map(text).join('\n')}</pre>`;
  return `<section>
<h2>${text(note.title)}</h2>
${note.lines.map((line) => `<p>${text(line)}</p>`).join('\n')}${commands}
</section>`;
}

function renewalSection({ renewal }: Sheet): string {
  const date =
    renewal.at === undefined ? '' : `<p class="date"><time datetime="${text(renewal.at)}">${text(renewal.at.slice(0, 10))}</time></p>\n`;
  return `<section class="renewal">
<h2>Renewal</h2>
${date}<p>${text(renewal.what)}</p>
${renewal.steps.length === 0 ? '' : steps(renewal.steps)}
</section>`;
}

const steps = (lines: readonly string[]): string =>
  `<ol>\n${lines.map((line) => `<li>${line.startsWith('mailauth ') ? `<code>${text(line)}</code>` : text(line)}</li>`).join('\n')}\n</ol>`;
