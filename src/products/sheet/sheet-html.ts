import { createHash } from 'node:crypto';
import { addressHtml, escapeHtml } from '../../core/text.ts';
import { isCopied, type Reveal } from '../step/step.ts';
import { fieldsHtml, numberedHtml, stepHtml } from '../step/step-html.ts';
import type { MailServer, Sheet, SheetNote } from './sheet.ts';
import { style } from './sheet-html-style.ts';

/** One page to keep with the change ticket: a single file, no scripts, nothing from elsewhere, everything escaped. */
export function renderSheetHtml(sheet: Sheet, reveal: Reveal): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const revealed =
    reveal.reveal && sheet.parts.some(({ fields }) => fields.some((field) => field.secret === 'client-secret' && isCopied(field, reveal)));
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
${revealed ? '<p class="secret-inside" role="note"><strong>This page holds the client secret.</strong> Keep it like a password, and delete it when the product has the value.</p>\n' : ''}${sheet.parts.map((step) => stepHtml(step, reveal)).join('\n')}
${sheet.servers.length === 0 ? '' : serverSection(sheet.servers)}
${sheet.notes.map(noteSection).join('\n')}
${renewalSection(sheet)}
<section class="quiet">
<h2>Registered in Entra</h2>
${fieldsHtml(sheet.registered, reveal)}
</section>
<footer>Made by mailauth on the computer that set this mailbox up. Values in boxes are selected whole by one click.</footer>
</main>
</body>
</html>
`;
}

const text = (value: string): string => escapeHtml(value);

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
${numberedHtml(renewal.steps)}
</section>`;
}
