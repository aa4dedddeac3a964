import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { again, inPlaceOfLogin, led, line, mailauth, type NextStep, noted, ofSetup, plus, withoutBlanks } from '../../../src/core/next.ts';
import {
  byPlatform,
  byShell,
  inTurn,
  moveFile,
  removeFile,
  setVariable,
  showAccess,
  unsetVariable,
} from '../../../src/core/shell-lines.ts';
import { allShown, type Surroundings, shown, stepsShown } from '../../../src/core/shown.ts';
import { posix } from '../../support/next.ts';

const powershell: Surroundings = { shell: 'powershell' };
const cmd: Surroundings = { shell: 'cmd' };
const ada = 'ada@contoso.com';

describe('a command', () => {
  it.each([
    [mailauth('login', ada, { force: true }), 'mailauth login ada@contoso.com --force'],
    [mailauth('login', undefined, { force: false, signIn: undefined }), 'mailauth login'],
    [
      mailauth('secret rotate', ada, { for: 'osticket', secretMonths: 6 }),
      'mailauth secret rotate ada@contoso.com --for osticket --secret-months 6',
    ],
    [noted(mailauth('setup', { mailbox: ada }), 'once'), 'mailauth setup --mailbox ada@contoso.com   # once'],
    [led('Later', mailauth('doctor')), 'Later: mailauth doctor'],
    [{ ...mailauth('test', 'pop', ada), waitSeconds: 93 }, 'sleep 93; mailauth test pop ada@contoso.com'],
    [{ ...mailauth('setup'), home: 'mailauth' }, 'MAILAUTH_HOME="$HOME/mailauth" mailauth setup'],
    [mailauth('setup', { name: "o'brien & co" }), `mailauth setup --name 'o'\\''brien & co'`],
    [mailauth('setup', { name: '-x', clientSecretFile: '-' }), 'mailauth setup --name=-x --client-secret-file -'],
    [mailauth('login', '-x@contoso.com', { force: true }), 'mailauth login --force -- -x@contoso.com'],
    [
      plus(mailauth('setup', { resume: true, register: 'auto' }), { register: false, audience: 'single' }),
      'mailauth setup --resume --audience single',
    ],
  ] as const)('%o', (step, text) => expect(shown(step, posix)).toBe(text));

  it('names no folder by HOME where HOME names none', () => {
    const text = shown({ ...mailauth('setup'), home: 'mailauth' }, { ...posix, withoutHome: true });
    expect(text).toBe('MAILAUTH_HOME="$(mktemp -d /var/tmp/mailauth.XXXXXX)" mailauth setup');
  });

  it('of PowerShell is quoted as PowerShell reads it', () => {
    expect(shown(mailauth('setup', { name: "o'brien", protocols: 'imap,smtp' }), powershell)).toBe(
      "mailauth setup --name 'o''brien' --protocols 'imap,smtp'",
    );
    expect(shown({ ...mailauth('setup'), home: 'mailauth' }, powershell)).toBe('mailauth setup --home "$HOME/mailauth"');
    expect(shown({ ...mailauth('doctor'), waitSeconds: 93 }, powershell)).toBe('Start-Sleep 93; mailauth doctor');
  });

  it('of cmd is quoted as cmd reads it, and its remark is a command that does nothing', () => {
    expect(shown(mailauth('setup', { name: "o'brien & co", protocols: 'imap,smtp' }), cmd)).toBe(
      `mailauth setup --name "o'brien & co" --protocols imap,smtp`,
    );
    expect(shown({ ...mailauth('setup'), home: 'mailauth' }, cmd)).toBe('mailauth setup --home "%USERPROFILE%\\mailauth"');
    expect(shown({ ...mailauth('doctor'), waitSeconds: 93 }, cmd)).toBe('timeout /t 93 /nobreak >nul & mailauth doctor');
    expect(shown(noted(mailauth('doctor'), 'this & that'), cmd)).toBe('mailauth doctor   & rem this   that');
  });
});

describe('what is in force', () => {
  const here: Surroundings = { ...posix, cloud: 'usgov', store: 'file', for: 'osticket' };

  it.each([
    [mailauth('setup', { mailbox: ada }), 'mailauth setup --mailbox ada@contoso.com --for osticket --cloud usgov --store file'],
    [mailauth('login', ada), 'mailauth login ada@contoso.com --for osticket --cloud usgov --store file'],
    [mailauth('login', ada, { for: 'custom', cloud: 'china' }), 'mailauth login ada@contoso.com --for custom --cloud china --store file'],
    [mailauth('doctor'), 'mailauth doctor --cloud usgov --store file'],
    [mailauth('help', 'clouds'), 'mailauth help clouds'],
    [mailauth('setup', { help: true }), 'mailauth setup --help'],
    [mailauth('store keygen', 'key'), 'mailauth store keygen key'],
    [mailauth('sandbox', { listFaults: true }), 'mailauth sandbox --list-faults'],
  ] as const)('%o', (step, text) => expect(shown(step, here)).toBe(text));

  it('a cloud file is carried by its path, quoted', () => {
    expect(shown(mailauth('setup'), { ...posix, cloudFile: '/tmp/x y/cloud.json' })).toBe(
      "mailauth setup --cloud-file '/tmp/x y/cloud.json'",
    );
    expect(shown(mailauth('setup'), { ...powershell, cloudFile: 'C:\\x y\\cloud.json' })).toBe(
      "mailauth setup --cloud-file 'C:\\x y\\cloud.json'",
    );
  });

  it('the sandbox is a cloud of its own', () => {
    const sandbox: Surroundings = { ...posix, sandbox: true };
    expect(shown(mailauth('setup', { cloud: namedCloud('usgov') }), sandbox)).toBe('mailauth setup --sandbox');
    expect(shown(mailauth('setup', { sandbox: true }), sandbox)).toBe('mailauth setup --sandbox');
  });

  it('this-computer is what setup takes by itself', () => {
    expect(shown(mailauth('setup'), { ...posix, for: 'this-computer' })).toBe('mailauth setup');
    expect(shown(mailauth('login', ada), { ...posix, for: 'this-computer' })).toBe('mailauth login ada@contoso.com --for this-computer');
  });

  it('a command about a cloud names it, unless the operator named one', () => {
    const usgov = mailauth('setup', { cloud: namedCloud('usgov') });
    expect(shown(usgov, posix)).toBe('mailauth setup --cloud usgov');
    expect(shown(usgov, { ...posix, cloudFile: '/etc/cloud.json' })).toBe('mailauth setup --cloud-file /etc/cloud.json');
    expect(shown(mailauth('setup', { cloud: namedCloud('public') }), posix)).toBe('mailauth setup');
    expect(shown(usgov, { ...posix, cloudIsSet: true })).toBe('mailauth setup');
    const lab = { ...namedCloud('public'), name: 'lab' };
    expect(shown(mailauth('setup', { cloud: lab }), posix)).toBe(
      'mailauth setup   # give the file that describes the cloud "lab" with --cloud-file',
    );
  });
});

describe('the running command again', () => {
  const running = mailauth('test', 'imap', ada, { cloud: 'usgov', timeout: 20 });

  it('is whole, and what is in force stands in it once', () => {
    expect(shown(again({ timeout: 60 }), { ...posix, cloud: 'usgov', running })).toBe(
      'mailauth test imap ada@contoso.com --cloud usgov --timeout 60',
    );
  });

  it('is a sentence where nobody knows which', () => {
    expect(shown(again({ timeout: 60 }), posix)).toBe('Run the same command again, with --timeout 60');
    expect(stepsShown([again()], posix)).toEqual([{ text: 'Run the same command again', copied: false }]);
  });
});

describe('a line of another program', () => {
  it('has its values quoted for the shell', () => {
    expect(shown(line`chmod 600 ${'/tmp/a b'}`, posix)).toBe("chmod 600 '/tmp/a b'");
    expect(shown(line`mv ${"it's"} ${'x'}`, powershell)).toBe("mv 'it''s' x");
  });

  it('may be another one in PowerShell', () => {
    const step = byShell({ posix: line`a`, powershell: line`b`, cmd: line`c` });
    expect([posix, powershell, cmd].map((here) => shown(step, here))).toEqual(['a', 'b', 'c']);
  });

  it('may name another program on Windows, where the shell is not that of Git', () => {
    const step = byPlatform(line`ls`, line`icacls`);
    const onWindows = [posix, powershell, cmd].map((here) => shown(step, { ...here, onWindows: true }));
    expect([...onWindows, shown(step, powershell)]).toEqual(['ls', 'icacls', 'icacls', 'ls']);
  });

  it.each([
    [
      'in the words of PowerShell',
      byShell({ posix: line`a`, powershell: byPlatform(line`ls`, line`icacls`), cmd: line`c` }),
      'icacls',
      'ls',
    ],
    ['in one of several lines', inTurn(byPlatform(line`ls`, line`icacls`), line`b`), 'icacls; b', 'ls; b'],
  ])('may name another program on Windows also %s', (_, step, onWindows, elsewhere) => {
    expect([shown(step, { ...powershell, onWindows: true }), shown(step, powershell)]).toEqual([onWindows, elsewhere]);
  });

  it.each([
    [setVariable('X', "C:\\it's"), `export X='C:\\it'\\''s'`, `$env:X = 'C:\\it''s'`, `set "X=C:\\it's"`],
    [setVariable('X', 'file'), 'export X=file', `$env:X = 'file'`, 'set "X=file"'],
    [setVariable('X', 'a"&b'), `export X='a"&b'`, `$env:X = 'a"&b'`, '(set X=a^"^&b)'],
    [setVariable('X', 'a%40b%'), `export X=a%40b%`, `$env:X = 'a%40b%'`, '(set X=a^%40b^%)'],
    [setVariable('X', { inHome: 'a/b' }), 'export X=~/a/b', '$env:X = "$HOME/a/b"', 'set "X=%USERPROFILE%\\a\\b"'],
    [unsetVariable('X', 'Y'), 'unset X Y', 'Remove-Item Env:X, Env:Y', 'set "X=" & set "Y="'],
    [moveFile('a b', 'c'), "mv 'a b' c", "Move-Item -LiteralPath 'a b' c", 'move "a b" c'],
    [removeFile('[a]'), "rm '[a]'", "Remove-Item -LiteralPath '[a]'", 'del "[a]"'],
    [inTurn(removeFile('a'), setVariable('X', 'y')), 'rm a; export X=y', `Remove-Item -LiteralPath a; $env:X = 'y'`, 'del a & set "X=y"'],
    [showAccess('/a b'), "ls -ld '/a b'", "ls -ld '/a b'", 'icacls "/a b"'],
  ])('%o', (step, inPosix, inPowerShell, inCmd) => {
    expect([posix, powershell, cmd].map((here) => shown(step, here))).toEqual([inPosix, inPowerShell, inCmd]);
  });
});

it('a sentence is folded, everything else is copied; each stands once', () => {
  const steps: readonly NextStep[] = ['Wait a minute.', mailauth('doctor'), line`date`, mailauth('doctor')];
  expect(stepsShown(steps, posix).map(({ copied }) => copied)).toEqual([false, true, true]);
  expect(allShown(steps, posix)).toEqual(['Wait a minute.', 'mailauth doctor', 'date']);
});

it('nothing that a terminal acts on comes through', () => {
  const hostile = '\u001b[31m\u202e';
  const text = allShown(
    [hostile, mailauth('login', hostile), line`mv ${hostile} x`, led(hostile, mailauth('doctor')), noted(mailauth('doctor'), hostile)],
    posix,
  );
  expect(text.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

describe('during a set-up', () => {
  const goOn = mailauth('setup', { resume: true, mailbox: ada });

  it('the command that goes on stands in place of a login', () => {
    expect(inPlaceOfLogin(mailauth('login', ada, { force: true }), goOn)).toEqual(goOn);
    expect(inPlaceOfLogin(led('Or', mailauth('login', ada, { signIn: 'paste' })), goOn)).toEqual(
      led('Or', plus(goOn, { signIn: 'paste' })),
    );
    expect(inPlaceOfLogin('Press Accept.', goOn)).toBe('Press Accept.');
    expect(inPlaceOfLogin(mailauth('doctor'), goOn)).toEqual(mailauth('doctor'));
  });

  it.each([
    [mailauth('setup', { tenant: 'T' }), 'mailauth setup --mailbox ada@contoso.com --for osticket --tenant T'],
    [mailauth('setup', { mailbox: 'b@contoso.com' }), 'mailauth setup --mailbox b@contoso.com --for osticket'],
    [
      mailauth('setup', { clientSecretFile: '-' }),
      'mailauth setup --mailbox ada@contoso.com --for osticket --client-id C --client-secret-file -',
    ],
    [mailauth('setup', { help: true }), 'mailauth setup --help'],
    [mailauth('doctor'), 'mailauth doctor'],
  ] as const)('what a setup leaves out is filled in: %o', (step, text) => {
    expect(shown(ofSetup(step, { mailbox: ada, for: 'osticket', clientId: 'C' }), posix)).toBe(text);
  });
});

it('values that nobody knows are left out', () => {
  const step = mailauth('login', 'MAILBOX', { for: 'PRODUCT', force: true });
  expect(withoutBlanks(step, (value) => /^[A-Z]+$/.test(value))).toEqual(mailauth('login', { force: true }));
});
