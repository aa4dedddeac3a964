import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  adminPage,
  alreadyAnsweredPage,
  badRequestPage,
  contentSecurityPolicy,
  failurePage,
  stoppedPage,
  successPage,
} from '../../../src/oauth/loopback-pages.ts';

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'&\u202e\u0007`;
const pages = {
  success: successPage({ mailbox: hostile, account: hostile }),
  failure: failurePage({ title: hostile, why: hostile, next: [{ text: hostile, copied: false }] }),
  already: alreadyAnsweredPage(),
  bad: badRequestPage(),
  stopped: stoppedPage(),
};

describe.each(Object.entries(pages))('the %s page', (_name, { html }) => {
  it('has no script, no handler, no outside resource and no hostile character', () => {
    expect(html).not.toMatch(/<script|<img|<link|<iframe|<form|javascript:|url\(|\sstyle=/i);
    expect(html).not.toMatch(/<[^>]*\son\w+=/i);
    expect(html).not.toContain('\u202e');
    expect(html).not.toContain('\u0007');
  });

  it('is one readable file in light and dark, with the style that its policy allows', () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toMatch(/<title>.+<\/title>/);
    expect(html).toContain('name="viewport"');
    expect(html).toContain('color-scheme:light dark');
    expect(html).toMatch(/role="(?:status|alert)"/);
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
    expect(contentSecurityPolicy).toContain(createHash('sha256').update(style).digest('base64'));
  });
});

it('the success page names the account and the mailbox', () => {
  const { html, status } = successPage({ mailbox: 'helpdesk@contoso.example', account: 'anna@contoso.example' });
  expect(status).toBe(200);
  expect(html).toContain('<dt>Signed in as</dt><dd><data value="anna@contoso.example">anna@<wbr>');
  expect(html).toContain('<dt>For the mailbox</dt><dd><data value="helpdesk@contoso.example">helpdesk@<wbr>');
  expect(html).toContain('You can close this tab and go back to the terminal.');
});

it('the failure page says what happened, why and what next, and never that it worked', () => {
  const { html, status } = failurePage({
    title: 'Denied',
    why: 'You pressed Cancel.',
    next: [
      { text: 'mailauth login', copied: true },
      { text: 'or ask', copied: false },
    ],
  });
  expect(status).toBe(400);
  expect(html).toContain('<h1>Denied</h1>');
  expect(html).toContain('<p>You pressed Cancel.</p>');
  expect(html).toContain('<li><code class="line">mailauth login</code></li>\n<li>or ask</li>');
  expect(html).not.toMatch(/signed in|stored/i);
});

it('the failure page does without a reason and without steps', () => {
  const { html } = failurePage({ title: 'Denied', next: [] });
  expect(html).not.toContain('What to do');
  expect(html).not.toContain('undefined');
});

it('breaks a command nowhere inside an option', () => {
  const { html } = failurePage({ title: 'Denied', next: [{ text: 'mailauth setup --mailbox a-b@contoso.com --resume', copied: true }] });
  expect(html).toContain('mailauth setup <span>--mailbox</span> a-b@contoso.com <span>--resume</span></code>');
});

it('an administrator has not succeeded yet: neither green nor red', () => {
  expect(adminPage({ account: 'admin@contoso.com' }).html).toContain('<main class="note"');
});
