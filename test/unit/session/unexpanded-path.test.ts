import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { shown } from '../../../src/core/shown.ts';
import { readGlobals } from '../../../src/session/globals.ts';

function refusal(raw: Record<string, string>, env: Record<string, string>): MailauthError | undefined {
  try {
    readGlobals(raw, env);
    return undefined;
  } catch (error) {
    if (error instanceof MailauthError) return error;
    throw error;
  }
}

describe('a path that no shell has expanded', () => {
  it.each([
    ['~/mail', 'export MAILAUTH_HOME=~/mail', '$env:MAILAUTH_HOME = "$HOME/mail"', 'set "MAILAUTH_HOME=%USERPROFILE%\\mail"'],
    ['~', 'export MAILAUTH_HOME="$HOME"', '$env:MAILAUTH_HOME = "$HOME"', 'set "MAILAUTH_HOME=%USERPROFILE%"'],
    ['~\\a\\b', 'export MAILAUTH_HOME=~/a/b', '$env:MAILAUTH_HOME = "$HOME/a/b"', 'set "MAILAUTH_HOME=%USERPROFILE%\\a\\b"'],
    ['%APPDATA%\\x', 'export MAILAUTH_HOME="$APPDATA/x"', '$env:MAILAUTH_HOME = "$env:APPDATA\\x"', 'set "MAILAUTH_HOME=%APPDATA%\\x"'],
    ['$env:APPDATA\\x', 'export MAILAUTH_HOME="$APPDATA/x"', '$env:MAILAUTH_HOME = "$env:APPDATA\\x"', 'set "MAILAUTH_HOME=%APPDATA%\\x"'],
    ['$HOME/x', 'export MAILAUTH_HOME=~/x', '$env:MAILAUTH_HOME = "$HOME/x"', 'set "MAILAUTH_HOME=%USERPROFILE%\\x"'],
    ['$' + '{HOME}', 'export MAILAUTH_HOME="$HOME"', '$env:MAILAUTH_HOME = "$HOME"', 'set "MAILAUTH_HOME=%USERPROFILE%"'],
    ['~/it; rm', 'Give the whole path.', 'Give the whole path.', 'Give the whole path.'],
  ])('%s is refused, and the line says what to write in each shell', (value, posix, powershell, cmd) => {
    const error = refusal({}, { MAILAUTH_HOME: value });
    expect(error).toMatchObject({ code: 'value-invalid', exit: 2, title: expect.stringContaining('MAILAUTH_HOME') });
    const lines = (['posix', 'powershell', 'cmd'] as const).map((shell) => error?.next.map((one) => shown(one, { shell }))[0]);
    expect(lines).toEqual([posix, powershell, cmd]);
  });

  it.each(['MAILAUTH_KEY_FILE', 'MAILAUTH_PASSPHRASE_FILE', 'MAILAUTH_DATABASE_URL_FILE', 'MAILAUTH_CLOUD_FILE'])('%s too', (name) => {
    expect(refusal({}, { [name]: '~/x' })).toMatchObject({ code: 'value-invalid', exit: 2 });
  });

  it('a flag too, where `--home=~/x` was not expanded; and no path that only looks like one', () => {
    expect(refusal({ home: '~/x' }, {})).toMatchObject({ code: 'value-invalid', title: expect.stringContaining('--home') });
    for (const path of ['/srv/~/x', './~', 'C:\\100%\\x', '~ada/x', '/a/$HOME', '%h/x', 'x%APPDATA%']) {
      expect(refusal({ keyFile: path }, { MAILAUTH_HOME: path }), path).toBeUndefined();
    }
  });
});
