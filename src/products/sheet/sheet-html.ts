import { createHash } from 'node:crypto';
import { addressHtml, commandHtml, escapeHtml } from '../../core/text.ts';
import { isCopied, type Reveal } from '../step/step.ts';
import { fieldsHtml, numberedHtml, stepHtml } from '../step/step-html.ts';
import type { MailServer, Sheet, SheetNote } from './sheet.ts';

/** One page to keep with the change ticket: a single file, no scripts, nothing from elsewhere, everything escaped. */
export function renderSheetHtml(sheet: Sheet, reveal: Reveal): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const revealed =
    reveal.reveal && sheet.parts.some(({ fields }) => fields.some((field) => field.secret === 'client-secret' && isCopied(field, reveal)));
  const secretAt = revealed || sheet.secretShown === undefined ? undefined : 'client-secret';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="mailauth">
<title>${escapeHtml(sheet.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="kind">Hand-over sheet</p>
<h1>${escapeHtml(sheet.product)}</h1>
<p class="mailbox">${addressHtml(sheet.mailbox)}</p>
${sheet.writtenAt === undefined ? '' : `<p class="written">Written ${escapeHtml(sheet.writtenAt.slice(0, 16).replace('T', ' '))} UTC</p>\n`}</header>
${revealed ? '<p class="secret-inside" role="note"><strong>This page holds the client secret.</strong> Keep it like a password, and delete it when the product has the value.</p>\n' : ''}${sheet.parts.map((step) => stepHtml(step, reveal, secretAt)).join('\n')}
${secretAt === undefined ? '' : secretSection(secretAt, sheet)}${sheet.servers.length === 0 ? '' : serverSection(sheet.servers)}
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

function secretSection(id: string, { secretShown }: Sheet): string {
  return `<section id="${id}">
<h2>How to see the client secret</h2>
<p>It does not stand in this file. This command shows it, on the computer that set this mailbox up:</p>
<p>${commandHtml(secretShown?.text ?? '')}</p>
</section>
`;
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
<p class="note">Sign-in method: ${escapeHtml(servers[0]?.method ?? '')}</p>
</section>`;
}

function noteSection(note: SheetNote): string {
  const commands = note.commands.length === 0 ? '' : `\n<pre>${note.commands.map(escapeHtml).join('\n')}</pre>`;
  return `<section>
<h2>${escapeHtml(note.title)}</h2>
${note.lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}${commands}
</section>`;
}

function renewalSection({ renewal }: Sheet): string {
  const date =
    renewal.at === undefined
      ? ''
      : `<p class="date"><time datetime="${escapeHtml(renewal.at)}">${escapeHtml(renewal.at.slice(0, 10))}</time></p>\n`;
  return `<section class="renewal">
<h2>Renewal</h2>
${date}<p>${escapeHtml(renewal.what)}</p>
${numberedHtml(renewal.steps)}
</section>`;
}

/** The look of the HTML sheet: system fonts, light and dark by the reader's own setting, always light and dense on paper (A4). */
const style = `
:root{color-scheme:light dark;--back:#eef1f5;--card:#fff;--ink:#1a2029;--soft:#596575;--line:#dde2e9;--box:#f5f7fa;--accent:#0b5cad;--warn:#8a5300;--warnback:#fff6e5;--warnline:#f0d7a7}
@media (prefers-color-scheme:dark){:root{--back:#0e1116;--card:#171c23;--ink:#e7ebf0;--soft:#9aa6b4;--line:#2d3641;--box:#10151b;--accent:#74b4ff;--warn:#f3c373;--warnback:#2a2213;--warnline:#57441d}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;padding:2rem 1rem;background:var(--back);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Helvetica,Arial,sans-serif}
main{max-width:52rem;margin:0 auto;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2.5rem 2.75rem 1.75rem;overflow-wrap:anywhere}
header{border-bottom:3px solid var(--accent);padding-bottom:1.1rem;position:relative}
.kind{margin:0;color:var(--accent);font-size:.8125rem;font-weight:650;letter-spacing:.09em;text-transform:uppercase}
h1{margin:.3rem 0 .15rem;font-size:1.9rem;line-height:1.2;font-weight:700;letter-spacing:-.01em}
.mailbox{margin:0;font-size:1.15rem;color:var(--soft)}
.written{margin:.4rem 0 0;color:var(--soft);font-size:.875rem}
section{margin-top:2.1rem}
h2{margin:0 0 .5rem;font-size:1.2rem;line-height:1.3;font-weight:650}
h3{margin:1.3rem 0 .4rem;font-size:1rem;font-weight:650}
p{margin:0 0 .6rem}
.where{color:var(--soft)}
.arrow{color:var(--accent);padding:0 .1em}
dl{margin:.75rem 0 0;border-top:1px solid var(--line)}
dl>div{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;gap:.25rem 1.25rem;padding:.6rem 0;border-bottom:1px solid var(--line);break-inside:avoid}
dt{font-weight:600;padding-top:.2rem}
dd{margin:0;min-width:0}
.how{display:inline-block;margin-left:.25rem;padding:0 .45rem;border:1px solid var(--line);border-radius:1rem;color:var(--soft);font-size:.75rem;font-weight:500}
code,pre{font:.9rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;background:var(--box);border:1px solid var(--line);border-radius:.35rem;-webkit-user-select:all;user-select:all}
code{padding:.1rem .4rem;-webkit-box-decoration-break:clone;box-decoration-break:clone}
dd>code{display:inline-block;max-width:100%}
.line{display:inline-block;max-width:100%;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}
.line span{white-space:nowrap}
pre{margin:.5rem 0 0;padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere}
.one{display:inline-block;max-width:100%}
.words{display:inline-block;padding-top:.2rem}
.note{margin:.35rem 0 0;color:var(--soft);font-size:.875rem;line-height:1.45}
ol{margin:.25rem 0 0;padding:0;list-style:none;counter-reset:step}
li{position:relative;padding:.2rem 0 .2rem 4rem;margin:.25rem 0;counter-increment:step;break-inside:avoid}
li::before{content:counter(step);position:absolute;left:0;top:.2rem;width:1.6rem;height:1.6rem;border:1.5px solid var(--accent);border-radius:50%;color:var(--accent);font-size:.8125rem;font-weight:650;line-height:1.45rem;text-align:center}
li input{position:absolute;left:2.2rem;top:.2rem;width:1.15rem;height:1.15rem;margin:.2rem 0 0;accent-color:var(--accent)}
input:checked+span,input:checked+.line{color:var(--soft)}
.see{margin-left:.4rem;color:var(--accent);font-size:.875rem;white-space:nowrap}
#client-secret:target{outline:2px solid var(--accent);outline-offset:.75rem;border-radius:.35rem}
.careful,.secret-inside{margin:1.1rem 0 0;padding:.75rem 1rem;background:var(--warnback);border:1px solid var(--warnline);border-left:4px solid var(--warn);border-radius:.35rem;break-inside:avoid}
.careful strong,.secret-inside strong{color:var(--warn)}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;overflow-wrap:normal;white-space:nowrap}
th,td{padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}
thead th{color:var(--soft);font-size:.8125rem;font-weight:600}
.renewal{padding:1.1rem 1.35rem 1.2rem;border:1px solid var(--line);border-radius:.6rem;background:var(--box);break-inside:avoid}
.renewal code{background:var(--card)}
.date{margin:0 0 .35rem;font-size:1.6rem;font-weight:700;letter-spacing:-.01em;line-height:1.2}
.quiet{font-size:.9375rem}
.quiet dt{font-weight:500;color:var(--soft)}
a{color:inherit}
footer{margin-top:2.25rem;padding-top:.9rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8125rem}
@media (max-width:40rem){body{padding:0}main{border:0;border-radius:0;padding:1.5rem 1.1rem}dl>div{grid-template-columns:1fr}h1{font-size:1.5rem}
table,tbody,tr{display:block;white-space:normal}thead{display:none}tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
tr>th,tr>td{display:grid;grid-template-columns:6.5rem 1fr;align-items:baseline;padding:.15rem 0;border:0}td::before{content:attr(data-label);color:var(--soft);font-size:.8125rem}td>code{justify-self:start}}
@media (forced-colors:active){code,pre,li::before{border-color:CanvasText}}
@page{size:A4;margin:16mm 15mm}
@media print{
:root{color-scheme:light;--back:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--box:#fff;--accent:#0b4a8a;--warn:#6b4100;--warnback:#fff;--warnline:#999}
html{font-size:9.5pt}
body{padding:0;line-height:1.4}
main{max-width:none;border:0;border-radius:0;padding:0}
section{margin-top:13pt}
h2,h3,.where,.scroll{break-after:avoid}
dl>div{padding:3pt 0;grid-template-columns:48mm 1fr}
th,td{padding-top:3pt;padding-bottom:3pt}
pre,table{white-space:pre-wrap;overflow-wrap:anywhere}
thead td{white-space:nowrap}
tr,.careful{break-inside:avoid}
li{padding-left:15mm;padding-top:0;padding-bottom:0;margin:1.5pt 0}
li input{left:8.5mm;top:0}
li::before{top:0}
footer{margin-top:13pt}
}
`;
