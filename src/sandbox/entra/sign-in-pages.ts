import { createHash } from 'node:crypto';
import { escapeHtml } from '../../core/text.ts';
import { type AskedScope, inWords } from './scope-rules.ts';

/** Names of the forms' fields and their addresses; `approve` and the browser tests rely on them. */
export const forms = { account: '/sandbox/account', consent: '/sandbox/consent', device: '/sandbox/device' } as const;

const style = `
:root { color-scheme: light dark; --ground: #eef1f5; --card: #fff; --ink: #1b1b1f; --quiet: #5a5f68; --line: #c9ced6; --main: #0a5bc4; --on-main: #fff; --warn: #a3150f }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --card: #22252b; --ink: #f1f2f4; --quiet: #b3b8c2; --line: #4a505b; --main: #8ab8ff; --on-main: #0b1b33; --warn: #ff9d94 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: min(28rem, 100%); margin: 1rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow-wrap: anywhere }
.notice { margin: 0 0 1.5rem; padding: .4rem .7rem; border: 1px dashed var(--quiet); border-radius: 4px; color: var(--quiet); font-size: .9rem }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1rem }
ul { margin: 0 0 1.5rem; padding: 0; list-style: none }
li { padding: .6rem 0; border-top: 1px solid var(--line) }
small { display: block; color: var(--quiet) }
button, input { font: inherit; color: inherit; padding: .55rem 1rem; border: 1px solid var(--quiet); border-radius: 4px; background: transparent }
button { cursor: pointer }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px }
.account { display: block; width: 100%; margin: 0 0 .5rem; text-align: left }
.or { margin: 1.25rem 0 .5rem; color: var(--quiet) }
.main { background: var(--main); color: var(--on-main); border-color: var(--main) }
.row { display: flex; gap: .75rem; justify-content: flex-end; flex-wrap: wrap }
label { display: block; margin: 1rem 0 .25rem }
input { width: 100%; margin: 0 0 .75rem }
a { color: var(--main) }
.error { color: var(--warn) }
@media (max-width: 30rem) { main { padding: 1.25rem } .account, input { padding-inline: .7rem } .row button { flex: 1 } }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * Headers of every page: no scripts, nothing from elsewhere, never cached, never framed.
 * @param target where the forms may end up besides here: browsers apply `form-action` to the redirect as well (CSP level 3)
 */
export function pageHeaders(target?: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'${target === undefined ? '' : ` ${target}`}; base-uri 'none'; frame-ancestors 'none'`,
  };
}

/** Whom the picker offers. `hinted`: the account of `login_hint`. */
interface Offered {
  readonly accounts: readonly string[];
  readonly hinted?: string;
}

/**
 * "Pick an account": a button with the address of each account, and a field for another address. As at Microsoft, the account of
 * `login_hint` is chosen already: it stands apart, and Enter goes on with it.
 */
export function accountPage(ticket: string, appName: string, { accounts, hinted }: Offered): string {
  const button = (address: string, look = 'class="account"') =>
    `<button ${look} name="account" value="${escapeHtml(address)}">${escapeHtml(address)}</button>`;
  const form = (buttons: readonly string[]) =>
    `<form method="post" action="${forms.account}">${hidden(ticket)}\n${buttons.join('\n')}\n</form>`;
  const others = accounts.filter((address) => address !== hinted).map((address) => button(address));
  const chosen =
    hinted === undefined ? '' : `${form([button(hinted, 'class="account main" autofocus')])}\n<p class="or">or another one</p>\n`;
  return page(
    'Pick an account',
    `<p>to continue to <strong>${escapeHtml(appName)}</strong></p>
${chosen}${form(others)}
<form method="post" action="${forms.account}">${hidden(ticket)}
<label for="other">Use another account</label>
<input id="other" name="account" type="text" inputmode="email" autocomplete="off" autocapitalize="off" spellcheck="false" required maxlength="254" placeholder="someone@contoso.example">
<div class="row"><button class="main">Next</button></div>
</form>`,
  );
}

/** "Enter code", of the device code flow; `wrong`: the code that was typed before is not valid. */
export function deviceCodePage(wrong: boolean): string {
  return page(
    'Enter code',
    `<p>Enter the code displayed on your app or device.</p>
${wrong ? '<p id="error" class="error">That code did not work. Check the code and try again.</p>' : ''}
<form method="post" action="${forms.device}">
<label for="code">Code</label>
<input id="code" name="code" type="text" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="40">
<div class="row"><button class="main">Next</button></div>
</form>`,
  );
}

/** The end of the device code flow in the browser. */
export function deviceDonePage(appName: string, accepted: boolean): string {
  const words = accepted
    ? `<p>You have signed in to <strong>${escapeHtml(appName)}</strong> on your device.</p>`
    : `<p id="declined">You declined to sign in to <strong>${escapeHtml(appName)}</strong>.</p>`;
  return page(accepted ? 'You’re signed in' : 'Sign-in cancelled', `${words}<p>You may now close this window.</p>`);
}

/** "Permissions requested", with Accept and Cancel. */
export function consentPage(ticket: string, appName: string, user: string, scopes: readonly AskedScope[]): string {
  return page(
    'Permissions requested',
    `<p>${escapeHtml(user)}</p>
<p><strong>${escapeHtml(appName)}</strong> would like to:</p>
${permissionList(scopes)}
<form method="post" action="${forms.consent}">${hidden(ticket)}
<div class="row"><button name="decision" value="cancel">Cancel</button><button class="main" name="decision" value="accept">Accept</button></div>
</form>`,
  );
}

/** "Permissions requested - Review for your organization": what an administrator accepts for everybody. */
export function organizationConsentPage(
  ticket: string,
  appName: string,
  user: string,
  organization: string,
  scopes: readonly AskedScope[],
): string {
  return page(
    'Permissions requested',
    `<p>${escapeHtml(user)}</p>
<p><strong>Review for your organization</strong></p>
<p>If you accept, <strong>${escapeHtml(appName)}</strong> will get access to these resources for all users in ${escapeHtml(organization)}:</p>
${permissionList(scopes)}
<form method="post" action="${forms.consent}">${hidden(ticket)}
<div class="row"><button name="decision" value="cancel">Cancel</button><button class="main" name="decision" value="accept">Accept</button></div>
</form>`,
  );
}

/** What people see where a tenant lets only administrators consent. */
export function adminApprovalPage(ticket: string, appName: string, user: string): string {
  return page(
    'Need admin approval',
    `<p>${escapeHtml(user)}</p>
<p><strong>${escapeHtml(appName)}</strong> needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>
<form method="post" action="${forms.consent}">${hidden(ticket)}
<div class="row"><button name="decision" value="cancel">Return to the application without granting consent</button></div>
</form>`,
  );
}

/** Errors that Entra shows and never delivers to the app. `again` leads back to the picker. */
export function errorPage(description: string, again?: string): string {
  return page(
    'Sign in',
    `<p>Sorry, but we’re having trouble signing you in.</p>
<p id="error" class="error">${escapeHtml(description)}</p>
${again === undefined ? '<p>Close this page and go back to the terminal.</p>' : `<p><a href="${escapeHtml(again)}">Use another account</a></p>`}`,
  );
}

function permissionList(scopes: readonly AskedScope[]): string {
  const lines = scopes.map((scope) => {
    const words = inWords(scope);
    return `<li>${escapeHtml(words)}${words === scope.name ? '' : `<small>${escapeHtml(scope.name)}</small>`}</li>`;
  });
  return `<ul>\n${lines.join('\n')}\n</ul>`;
}

function hidden(ticket: string): string {
  return `<input type="hidden" name="ticket" value="${escapeHtml(ticket)}">`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - mailauth sandbox</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="notice">mailauth sandbox - not Microsoft</p>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
}
