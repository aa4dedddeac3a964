import { createHash } from 'node:crypto';
import type { ShownStep } from '../core/shown.ts';
import { addressHtml, commandHtml, escapeHtml } from '../core/text.ts';

/** One whole page: a single file, no scripts, everything from outside escaped. */
export interface ResultPage {
  readonly status: number;
  readonly html: string;
}

/** `account` signed in and, unless it was a proof only, its tokens are stored: show this only once both are true. */
export function successPage(v: { readonly mailbox: string; readonly account: string; readonly kept?: boolean }): ResultPage {
  return page(200, 'good', {
    title: 'You are signed in',
    body: `<p>${v.kept === false ? 'The sign-in worked. It was a proof: nothing of it is stored.' : 'The sign-in worked, and its tokens are stored on your computer.'}</p>
<dl><dt>Signed in as</dt><dd>${address(v.account)}</dd><dt>For the mailbox</dt><dd>${address(v.mailbox)}</dd></dl>`,
    close: 'You can close this tab and go back to the terminal.',
  });
}

/** An administrator consented for the whole organization. */
export function consentPage(): ResultPage {
  return page(200, 'good', {
    title: 'Consent given',
    body: '<p>The app may now be used in your organization with the permissions that were shown.</p>',
    close: 'You can close this tab and go back to the terminal.',
  });
}

/**
 * An administrator signed in to change the tenant. Whether Microsoft allows the change is not known yet, so the page must not promise it.
 * Nothing is stored.
 */
export function adminPage(v: { readonly account: string | undefined }): ResultPage {
  const who = v.account === undefined ? '' : `<dl><dt>Signed in as</dt><dd>${address(v.account)}</dd></dl>`;
  return page(200, 'note', {
    title: 'The sign-in has arrived',
    body: `<p>mailauth now asks Microsoft whether this account may make the change; the terminal shows how that ends. This sign-in is used once and not stored.</p>${who}`,
    close:
      "You can close this tab and go back to the terminal: there it goes on, and asks for the mailbox's own sign-in where that is still missing.",
  });
}

/** `next` are the steps of a `MailauthError`: lines to copy and sentences, in order. */
export function failurePage(v: {
  readonly title: string;
  readonly why?: string | undefined;
  readonly next: readonly ShownStep[];
}): ResultPage {
  const why = v.why === undefined || v.why === '' ? '' : `<p>${text(v.why)}</p>`;
  const steps = v.next.map((step) => `<li>${step.copied ? command(step.text) : text(step.text)}</li>`).join('\n');
  return page(400, 'bad', {
    title: v.title,
    body: steps === '' ? why : `${why}<h2>What to do next, in the terminal</h2>\n<ul>${steps}</ul>`,
    close: 'You can close this tab. The terminal says more.',
  });
}

/** A command in a block of its own; an option is never broken between its hyphens. */
const command = (line: string): string => commandHtml(visible(line));

/** A second tab, a reload: the first answer counts, and its tab or the terminal shows how it went. */
export function alreadyAnsweredPage(): ResultPage {
  return page(409, 'note', {
    title: 'This sign-in was already answered',
    body: '<p>Another tab has brought the answer. That tab and the terminal show how it went; this one changed nothing.</p>',
    close: 'You can close this tab.',
  });
}

export function badRequestPage(): ResultPage {
  return page(400, 'note', {
    title: 'This is not the answer to the sign-in',
    body: '<p>The address is incomplete, or it belongs to another sign-in. It was ignored, and mailauth still waits for the right one.</p>',
    close: 'Go back to the terminal and open the address that it shows.',
  });
}

/** mailauth ended (Ctrl-C, a crash on its way) while this browser waited to hear how it went. */
export function stoppedPage(): ResultPage {
  return page(503, 'bad', {
    title: 'mailauth stopped before it was finished',
    body: '<p>The sign-in reached this computer, but mailauth was ended before it could say how it went.</p>',
    close: 'Go back to the terminal and run the command again.',
  });
}

type Mood = 'good' | 'bad' | 'note';

const icons: Readonly<Record<Mood, string>> = {
  good: '<path d="M14 25.5l7 7 13.5-15"/>',
  bad: '<path d="M24 13v14.5M24 34v.5"/>',
  note: '<path d="M24 22.5v12M24 14v.5"/>',
};

const style = `
:root{color-scheme:light dark;--back:#f3f4f6;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d9dde2;--good:#1a7f37;--bad:#c1272d;--note:#0b62b8}
@media (prefers-color-scheme:dark){:root{--back:#0f1216;--card:#191e24;--ink:#e8ebef;--soft:#a0a9b4;--line:#323a44;--good:#46c265;--bad:#ff7b76;--note:#6cb2ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:1.25rem;background:var(--back);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Helvetica,Arial,sans-serif}
main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2.25rem 2.25rem 1.75rem;overflow-wrap:anywhere}
svg{display:block;width:3rem;height:3rem;fill:none;stroke:currentColor;stroke-width:3.5;stroke-linecap:round;stroke-linejoin:round}
.good svg{color:var(--good)}.bad svg{color:var(--bad)}.note svg{color:var(--note)}
h1{margin:1.1rem 0 .6rem;font-size:1.5rem;line-height:1.25;font-weight:650}
h2{margin:1.5rem 0 .4rem;font-size:1rem;font-weight:650}
p{margin:0 0 .75rem}
dl{margin:1.25rem 0;border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1.1rem}
dt{color:var(--soft);font-size:.875rem}
dd{margin:0 0 .75rem;font-weight:600}
dd:last-child{margin-bottom:0}
ul{margin:0 0 1rem;padding-left:1.2rem}
li{margin:.3rem 0}
code{font:.9375rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code.line{display:block;margin:.2rem 0;padding:.45rem .7rem;border:1px solid var(--line);border-radius:.4rem;background:var(--back)}
code.line span{white-space:nowrap}
.close{margin:1.25rem 0 0;font-weight:600}
footer{margin-top:1.75rem;padding-top:.9rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8125rem}
@media (max-width:30rem){main{padding:1.5rem 1.25rem 1.25rem}h1{font-size:1.25rem}}
@media (forced-colors:active){main,dl{border-color:CanvasText}}
`;

/** Only our own style sheet, named by its hash (CSP Level 3 section 2.3.1); no script, image, frame, form or base. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

function page(status: number, mood: Mood, v: { readonly title: string; readonly body: string; readonly close: string }): ResultPage {
  return {
    status,
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${text(v.title)} · mailauth</title>
<style>${style}</style>
</head>
<body>
<main class="${mood}" role="main">
<svg viewBox="0 0 48 48" role="presentation" aria-hidden="true"><circle cx="24" cy="24" r="21.5"/>${icons[mood]}</svg>
<div role="${mood === 'bad' ? 'alert' : 'status'}">
<h1>${text(v.title)}</h1>
${v.body}
</div>
<p class="close">${text(v.close)}</p>
<footer>mailauth · this page comes from your own computer</footer>
</main>
</body>
</html>
`,
  };
}

/** Escaped, and without the invisible characters that could turn a line around (bidi) or hide parts of it. */
const text = (raw: string): string => escapeHtml(visible(raw));
const address = (raw: string): string => addressHtml(visible(raw));
const visible = (raw: string): string => raw.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ');
