import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { inWords } from '../../../src/core/time.ts';
import { problem } from '../../../src/errors/problem.ts';
import { envelope } from '../../../src/session/envelope.ts';
import { renderError } from '../../../src/ui/error.ts';
import { renderFacts } from '../../../src/ui/tables.ts';
import { themeFor } from '../../../src/ui/theme.ts';
import { Capture, testContext } from '../../support/context.ts';
import { posix } from '../../support/next.ts';

const pipe = themeFor({ env: {} }, new Capture(), false);
const error = new MailauthError({
  code: 'consent-needed',
  exit: 6,
  title: 'An administrator must first allow the mail permissions',
  why: 'Users cannot allow IMAP and POP by themselves.',
  next: [mailauth('login', 'ada@contoso.com'), 'Send the link first.'],
  admin: 'open https://example.com',
  retryHelps: false,
  detail: { aadsts: 90_094, correlationId: '9d0c', at: '2026-11-21T23:40:00Z', reply: 'Admin consent is required.' },
});

describe('renderError: the anatomy of an error', () => {
  it('what, why, try, administrator, evidence', () => {
    expect(renderError(error, pipe, posix)).toMatchInlineSnapshot(`
      "✖ An administrator must first allow the mail permissions
        Users cannot allow IMAP and POP by themselves.
        try: mailauth login ada@contoso.com
             Send the link first.
        or ask an administrator: open https://example.com
        Trying again without a change cannot help.
        AADSTS90094 · correlation 9d0c · 2026-11-21 23:40 UTC · server said: Admin consent is required.
      "
    `);
  });

  it('leaves out what is not known', () => {
    expect(renderError(problem('no-mailbox', {}), pipe, posix)).toBe(
      '✖ No mailbox is set up on this computer yet\n  try: mailauth setup\n',
    );
  });

  it('does without unicode where the terminal has none', () => {
    const dumb = themeFor({ env: { TERM: 'dumb' } }, new Capture(true), false);
    expect(renderError(problem('no-mailbox', {}), dumb, posix)).toMatch(/^x No mailbox/);
  });

  it('writes nothing but colours', () => {
    const coloured = renderError(error, themeFor({ env: { FORCE_COLOR: '1' } }, new Capture(), false), posix);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looked for on purpose
    expect(coloured.replaceAll(/\u001b\[\d{1,2}m/g, '')).toBe(renderError(error, pipe, posix));
  });
});

describe('envelope', () => {
  it('success', () => {
    expect(envelope('status', { data: { mailboxes: [] } }, posix)).toEqual({
      schema: 'mailauth/1',
      ok: true,
      command: 'status',
      data: { mailboxes: [] },
    });
  });

  it('failure, and failure that keeps its data', () => {
    const wanted = {
      code: 'consent-needed',
      exit: 6,
      title: error.title,
      why: error.why,
      next: ['mailauth login ada@contoso.com', 'Send the link first.'],
      admin: error.admin,
      retryHelps: false,
      detail: error.detail,
    };
    expect(envelope('login', { error }, posix)).toEqual({ schema: 'mailauth/1', ok: false, command: 'login', error: wanted });
    expect(envelope('test', { data: { results: [] }, error }, posix)).toEqual({
      schema: 'mailauth/1',
      ok: false,
      command: 'test',
      data: { results: [] },
      error: wanted,
    });
  });

  it('why is a text also where there is none', () => {
    expect(envelope('x', { error: problem('no-mailbox', {}) }, posix)).toMatchObject({ error: { why: '', detail: {} } });
  });

  it('in the sandbox its commands have the flag', () => {
    expect(envelope('x', { error }, { ...posix, sandbox: true })).toMatchObject({
      error: { next: ['mailauth login ada@contoso.com --sandbox', 'Send the link first.'] },
    });
  });
});

it.each([
  [0, 'now'],
  [999, 'now'],
  [1000, 'in 1 second'],
  [59_999, 'in 59 seconds'],
  [3_600_000, 'in 1 hour'],
  [-90_000_000, '1 day ago'],
  [8_640_000_000, 'in 100 days'],
])('inWords(%i) is %s', (ms, words) => expect(inWords(ms)).toBe(words));

it('renderFacts puts labels and values in two columns, further lines below', () => {
  expect(
    renderFacts(
      [
        ['A', '1'],
        ['Long label', '2\n3'],
      ],
      themeFor(testContext(), new Capture(), true),
    ),
  ).toBe('  A           1\n  Long label  2\n              3\n');
});
