import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, topics } from '../../src/cli/tree.ts';
import { type Machine, machine } from '../support/command-line.ts';

let m: Machine;
beforeAll(async () => {
  m = await machine();
});
afterAll(() => m.end());

describe('wrong usage is exit 2, on stderr, and as an envelope with --json', () => {
  it.each([
    ['nonsense', 'unknown-command'],
    ['--nonsense', 'usage'],
    ['setup --nonsense', 'usage'],
    ['status one two', 'usage'],
    ['token', 'usage'],
    ['token nonsense', 'usage'],
    ['test box@contoso.com imap', 'usage'],
    ['--quiet', 'usage'],
    ['status --fault throttled', 'usage'],
    ['status --sandbox --cloud usgov', 'sandbox-with-cloud'],
    ['status --cloud usgov --cloud-file lab.json', 'usage'],
    ['setup --resume --fresh', 'usage'],
    ['setup --register auto --client-id 11111111-2222-3333-4444-555555555555', 'usage'],
    // Wrong also while the mailbox is still missing.
    ['setup --secret-months abc', 'value-invalid'],
    ['setup --protocols gopher', 'value-invalid'],
    ['setup --variant old', 'value-invalid'],
    ['setup --client-id abc', 'value-invalid'],
    ['setup --redirect-uri http://x.example/cb', 'redirect-not-accepted'],
    ['setup --for mspbots --protocols imap', 'value-invalid'],
    ['setup --for supportpal --protocols imap,pop', 'value-invalid'],
    ['setup --sandbox --for kaseya --sign-in browser', 'redirect-not-here'],
    ['setup --sandbox --for kaseya --sign-in paste', 'redirect-not-here'],
    ['status --sandbox --cloud-file lab.json', 'sandbox-with-cloud'],
    ['sandbox --cloud usgov', 'sandbox-with-cloud'],
    ['status --cloud mars', 'cloud-unknown'],
    ['setup --cloud mars --mailbox a@contoso.com', 'cloud-unknown'],
    ['status --sandbox --fault nonsense', 'value-invalid'],
    ['sandbox --fault nonsense', 'value-invalid'],
    ['status --store cellar', 'value-invalid'],
    ['status --timeout abc', 'value-invalid'],
    ['status --timeout 0', 'value-invalid'],
    ['status --timeout 1.5', 'value-invalid'],
    ['status --warn-days soon', 'value-invalid'],
    ['status --for nonsense', 'value-invalid'],
    ['logout --for nonsense', 'value-invalid'],
    ['token get --for nonsense', 'value-invalid'],
    ['token show --for nonsense', 'value-invalid'],
    ['login --for nonsense', 'value-invalid'],
    ['test imap --for nonsense', 'value-invalid'],
    ['setup --for nonsense --mailbox a@contoso.com', 'value-invalid'],
    ['test nonsense', 'value-invalid'],
    ['test imap --send-to nobody', 'value-invalid'],
    ['token get --format nonsense', 'value-invalid'],
    ['token get --min-validity much', 'value-invalid'],
    ['login --sign-in nonsense', 'value-invalid'],
    ['login --sign-in-as nobody', 'value-invalid'],
    ['setup --mailbox nobody', 'value-invalid'],
    ['setup --mailbox a@contoso.com --sign-in-as b', 'value-invalid'],
    ['setup --mailbox a@contoso.com --tenant not!one', 'value-invalid'],
    ['setup --mailbox a@contoso.com --client-id 123', 'value-invalid'],
    ['setup --mailbox a@contoso.com --client-id 11111111-2222-3333-4444-55555555555g', 'value-invalid'],
    ['setup --mailbox a@contoso.com --client-type secret', 'value-invalid'],
    ['setup --mailbox a@contoso.com --protocols imap,nntp', 'value-invalid'],
    ['setup --mailbox a@contoso.com --register by-mail', 'value-invalid'],
    ['setup --mailbox a@contoso.com --sign-in device --qr --client-type confidential', 'device-confidential'],
    ['setup --mailbox a@contoso.com --access both', 'value-invalid'],
    ['setup --mailbox a@contoso.com --access total', 'value-invalid'],
    ['setup --mailbox a@contoso.com --consent maybe', 'value-invalid'],
    ['setup --mailbox a@contoso.com --audience all', 'value-invalid'],
    ['setup --mailbox a@contoso.com --sign-in somehow', 'value-invalid'],
    ['setup --mailbox a@contoso.com --secret-months 99 --client-type confidential', 'value-invalid'],
    ['setup --mailbox a@contoso.com --redirect-uri http://example.com', 'redirect-not-accepted'],
    ['setup --mailbox a@contoso.com --redirect-uri nonsense', 'redirect-not-accepted'],
    ['setup --mailbox a@contoso.com --redirect-uri https://helpdesk.contoso.com/cb', 'redirect-not-here'],
    ['setup --mailbox a@contoso.com --client-type public --client-secret-file -', 'usage'],
    ['setup --mailbox a@contoso.com --client-secret-file - --password-file -', 'usage'],
  ])('%s → %s', async (words, code) => {
    const asText = await m.mailauth(`${words} --no-input`);
    expect(asText.exit).toBe(2);
    expect(asText.out).toBe('');
    expect(asText.err).toMatch(/^✖ .+\n( {2}.+\n)* {2}try: .+\n/);

    const asJson = await m.mailauth(`${words} --json`);
    expect(asJson).toMatchObject({ exit: 2, err: '' });
    const { error, ...envelope } = asJson.json();
    expect(envelope).toMatchObject({ schema: 'mailauth/1', ok: false });
    expect(error).toMatchObject({ code, exit: 2 });
    expect(error?.next[0]).toMatch(/^mailauth /);
    expect(Object.keys(error ?? {})).toEqual(expect.arrayContaining(['code', 'exit', 'title', 'why', 'next', 'detail']));
  });

  it.each(['--protocols', '--mailbox', '--tenant', '--name', '--client-secret-file', '--for'])('setup %s without a value', async (flag) => {
    for (const empty of ['', ' ']) {
      const { exit, err } = await m.run(['setup', '--yes', '--no-input', flag, empty]);
      expect([exit, err]).toEqual([2, expect.stringContaining(`✖ ${flag} was given without a value\n`)]);
    }
  });

  it.each([
    ['--for mspbots --protocols imap', 'smtp (mspbots)'],
    ['--for kaseya --sign-in browser --mailbox a@contoso.com', '--for kaseya --sign-in password'],
    ['--for kaseya --sign-in browser --mailbox a@contoso.com', "This product signs in with the mailbox's password."],
  ])('setup %s says %s', async (words, said) => {
    expect((await m.mailauth(`setup ${words} --no-input`)).err).toContain(said);
  });

  it('names the command in the envelope, and streams end in a result', async () => {
    expect((await m.mailauth('status --nonsense --json')).json()).toMatchObject({ command: 'status' });
    expect((await m.mailauth('token get --nonsense --json')).json()).toMatchObject({ command: 'token get' });
    expect((await m.mailauth('setup --nonsense --json')).lines()).toMatchObject([{ type: 'result', command: 'setup', ok: false }]);
    expect((await m.mailauth('login --nonsense --json')).lines()).toMatchObject([{ type: 'result', command: 'login', ok: false }]);
  });

  it.each([
    ['test imap', 'no-mailbox', 4],
    ['test all ada@contoso.com', 'mailbox-unknown', 4],
    ['test all --all-mailboxes', 'no-mailbox', 4],
    ['test nonsense', 'value-invalid', 2],
    ['test imap --nonsense', 'usage', 2],
  ])('%s --json: has its list of results all the same', async (words, code, exit) => {
    const ran = await m.mailauth(`${words} --json`);
    expect([ran.exit, ran.json()]).toMatchObject([exit, { ok: false, command: 'test', data: { results: [] }, error: { code } }]);
  });

  it.each([
    ['setup box@contoso.com --sandbox --yes', 'mailauth setup --mailbox box@contoso.com --yes --sandbox'],
    ['token get --mailbox box@contoso.com --json', 'mailauth token get box@contoso.com --json'],
    ['test imap --mailbox=box@contoso.com', 'mailauth test imap box@contoso.com'],
    ['status --sandbx --quiet', 'mailauth status --quiet --sandbox'],
    ['status --store fil --sandbox', 'mailauth status --store file --sandbox'],
    ['store move fil --sandbox', 'mailauth store move file --sandbox'],
    // What stands in the place of a file's name may be the secret itself.
    ['setup --client-secret-fil geheim', 'mailauth setup --client-secret-file -'],
    ['setup --client-secret-fil=geheim', 'mailauth setup --help'],
    // Not right with the nearest flag either.
    ['status --sandbx one two', 'mailauth status --help'],
    ['status box@contoso.com other@contoso.com', 'mailauth status --help'],
  ])('%s: exit 2, and the first command is %s', async (words, first) => {
    const { exit, out, err } = await m.mailauth(words);
    const next = out === '' ? /^ +try: (.*)$/m.exec(err)?.[1] : JSON.parse(out).error.next[0];
    expect([exit, next]).toEqual([2, first]);
    expect(out + err).not.toContain('geheim');
  });

  it.each([
    ['stauts', 'mailauth status --help'],
    ['setpu', 'mailauth setup --help'],
    ['tset', 'mailauth test --help'],
    ['quicksort', 'mailauth --help'],
  ])('%s suggests %s', async (word, suggestion) => {
    const { exit, err } = await m.run([word]);
    expect(exit).toBe(2);
    expect(err).toBe(`✖ There is no command "${word}"\n  try: ${suggestion}\n`);
  });

  it('touches neither keychain nor disk', async () => {
    await m.mailauth('setup --mailbox nobody --json');
    expect(m.keychain.entries.size).toBe(0);
  });
});

it('a word that is no address leads to the list of addresses, and to no set-up that would refuse it', async () => {
  const { exit, json } = await m.mailauth('test imap smtp --json');
  expect(exit).toBe(4);
  expect(json().error).toMatchObject({ code: 'mailbox-unknown', next: ['mailauth status --all   # lists the addresses'] });
});

describe('a secret as the value of a flag', () => {
  const value = 'PtX8Q~very-secret-value';
  it.each([
    ['--client-secret', value],
    [`--client-secret=${value}`],
    ['--password', value],
    [`--password=${value}`],
    ['--secret', value],
    ['--passphrase', value],
    ['--access-token', value],
    ['--graph-token', value],
    [`--refresh-token=${value}`],
    // Names that mailauth does not know: commander would repeat them whole.
    [`--clientsecret=${value}`],
    [`--client-secret-value=${value}`],
    [`-p${value}`],
    // A flag whose value was forgotten: commander would take the next flag for it.
    ['--mailbox', `--clientsecret=${value}`],
    ['--name', `-p=${value}`],
  ])('%s is refused with 2 and never repeated', async (...flag) => {
    for (const more of [[], ['--json'], ['--verbose', '--sandbox']]) {
      const { exit, out, err } = await m.run(['setup', ...flag, ...more]);
      expect(exit).toBe(2);
      expect(out + err).not.toContain(value);
      expect(out + err).toMatch(/never accepted as the value of|has no option|needs a value before -/);
    }
  });

  it.each([
    ['--client-secret', '--client-secret-file -'],
    ['--password', '--password-file -'],
    ['--passphrase', 'MAILAUTH_PASSPHRASE_FILE'],
    ['--graph-token', 'MAILAUTH_GRAPH_TOKEN'],
    ['--refresh-token', 'mailauth login'],
  ])('%s: where its value belongs, in the last line of setup --json', async (flag, instead) => {
    const { json } = await m.run(['setup', flag, value, '--json']);
    expect(json()).toMatchObject({
      type: 'result',
      command: 'setup',
      error: { code: 'secret-in-argv', next: [expect.stringContaining(instead)] },
    });
  });

  it.each([
    'setup --sandbox --yes --sign-in password --password-file $ecret123',
    'setup --sandbox --yes --register existing --client-id 11111111-2222-3333-4444-555555555555 --client-secret-file $ecret123',
    'keepalive --sandbox --notify-url https://localhost:1 --notify-secret-file $ecret123',
  ])('%s: a secret in place of the name of its file is not repeated', async (words) => {
    const { exit, out, err } = await m.mailauth(words);
    expect(exit).not.toBe(0);
    expect(out + err).not.toContain('ecret123');
  });
});

describe('what comes from outside', () => {
  it('cannot bring escape sequences to the terminal or into JSON', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[31mred\u202e\u009b1m';
    for (const argv of [
      [hostile],
      ['status', hostile],
      ['token', 'get', `${hostile}@contoso.com`],
      ['setup', '--mailbox', hostile],
      ['setup', '--mailbox', 'a@contoso.com', '--redirect-uri', `http://${hostile}`],
      ['status', '--cloud', hostile],
      ['status', `--${hostile}`],
    ]) {
      for (const json of [[], ['--json']]) {
        const { out, err, exit } = await m.run([...argv, ...json, '--no-input']);
        expect([2, 4]).toContain(exit);
        expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(out).not.toMatch(/\\u(?:001b|202e|009b)/i);
      }
    }
  });
});

describe('global flags', () => {
  it.each(['--json status', 'status --json', '--quiet --json status', '--store keychain --json status', '--timeout 5 status --json'])(
    '%s: before and after the command',
    async (words) => {
      const { exit, json, err } = await m.mailauth(words);
      expect(json()).toEqual({
        schema: 'mailauth/1',
        ok: true,
        command: 'status',
        data: { mailboxes: [], pending: [], summary: { total: 0, ok: 0, ending: 0, over: 0, pending: 0 } },
      });
      expect(exit).toBe(0);
      expect(err).toBe('');
    },
  );

  it('splits `token get` by a flag between its words no less', async () => {
    expect((await m.mailauth('--json token get')).json()).toMatchObject({ command: 'token get', error: { code: 'no-mailbox', exit: 4 } });
  });

  const colour = '\u001b[';
  it.each([
    ['a pipe', [], {}, false, false],
    ['a terminal', [], {}, true, true],
    ['TERM=dumb', [], { TERM: 'dumb' }, true, false],
    ['NO_COLOR', [], { NO_COLOR: '1' }, true, false],
    ['FORCE_COLOR on a pipe', [], { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0', [], { FORCE_COLOR: '0' }, true, false],
    ['NO_COLOR beats FORCE_COLOR', [], { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['--no-color beats FORCE_COLOR', ['--no-color'], { FORCE_COLOR: '1' }, true, false],
    ['--json on a terminal', ['--json'], { FORCE_COLOR: '1' }, true, false],
  ] as const)('colours: %s', async (_, flags, env, tty, coloured) => {
    const { out, err } = await m.run(['status', ...flags], { env, tty });
    expect((out + err).includes(colour)).toBe(coloured);
    const failed = await m.run(['token', 'get', ...flags], { env, tty });
    expect((failed.out + failed.err).includes(colour)).toBe(coloured);
  });
});

describe('help', () => {
  const lines = (text: string) => text.split('\n');

  it.each([['--help'], ['-h'], ['help'], [''], ['--help --no-color'], ['--no-color --help']])(
    'mailauth %s: the root, examples first',
    async (words) => {
      const { exit, out, err } = await m.run(words === '' ? [] : words.split(' '));
      expect([exit, err]).toEqual([0, '']);
      expect(lines(out)[2]).toBe('Examples:');
      for (const { name } of commands) expect(out).toContain(`  ${name}`);
      for (const flag of [
        '--json',
        '--no-input',
        '--yes',
        '--quiet',
        '--verbose',
        '--no-color',
        '--cloud',
        '--cloud-file',
        '--store',
        '--sandbox',
        '--timeout',
      ]) {
        expect(out).toContain(flag);
      }
      expect(Math.max(...lines(out).map((l) => l.length))).toBeLessThanOrEqual(100);
    },
  );

  it.each(commands.map((c) => c.name))('%s --help leads with examples and fits 100 columns', async (name) => {
    const { exit, out, err } = await m.mailauth(`${name} --help`);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Examples:\n  \\$ mailauth ${name}`));
    expect(out).toContain(`Usage: mailauth ${name}`);
    expect(out).toContain('--no-input');
    expect(Math.max(...lines(out).map((l) => l.length))).toBeLessThanOrEqual(100);
    expect((await m.mailauth(`help ${name}`)).out).toBe(out);
    expect((await m.mailauth(`--help ${name}`)).out).toBe(out);
  });

  it.each(topics)('help %s', async (topic) => {
    const { exit, out, err } = await m.mailauth(`help ${topic}`);
    expect([exit, err]).toEqual([0, '']);
    expect(lines(out).length).toBeGreaterThan(8);
    expect(Math.max(...lines(out).map((l) => l.length))).toBeLessThanOrEqual(100);
  });

  it('help exit-codes names each code once', async () => {
    const { out } = await m.mailauth('help exit-codes');
    expect(out.match(/^ {2}\d+/gm)?.map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 129, 130, 143]);
  });

  it('help environment names each variable of docs/contract.md and each one that the program reads', async () => {
    const { out } = await m.mailauth('help environment');
    const own = [
      'HOME',
      'MAILBOX',
      'TENANT',
      'CLIENT_ID',
      'CLOUD',
      'CLOUD_FILE',
      'STORE',
      'PASSPHRASE_FILE',
      'PASSPHRASE',
      'GRAPH_TOKEN',
      'DEBUG',
    ];
    const others = ['BROWSER', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'NO_COLOR', 'FORCE_COLOR', 'TERM', 'CI'];
    const folder = join(import.meta.dirname, '../../src');
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
    const source = (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
    const taken = [...source.matchAll(/\{([^{}]*)\} = (?:\w+\.)?env\b/g)].flatMap(
      ([, names = '']) => names.match(/\b[A-Z][A-Z\d_]+\b/g) ?? [],
    );
    const read = [...source.matchAll(/\benv\.([A-Z][A-Z\d_]+)\b/g)].map(([, name = '']) => name);
    expect(read.length + taken.length).toBeGreaterThan(30);
    for (const name of [...own.map((n) => `MAILAUTH_${n}`), ...others, ...read, ...taken]) expect(out).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('help clouds marks the unverified ones', async () => {
    const { out } = await m.mailauth('help clouds');
    expect(out.match(/^ {2}(\S+) .*unverified/gm)?.map((l) => l.trim().split(' ')[0])).toEqual(['usgov-dod', 'china']);
  });

  const groups = [...new Set(commands.map((c) => c.name.split(' ')).flatMap(([group = '', word]) => (word === undefined ? [] : [group])))];

  it.each(groups)('%s --help: its commands with their summaries, and where each one is explained', async (group) => {
    const { exit, out, err } = await m.mailauth(`${group} --help`);
    expect([exit, err]).toEqual([0, '']);
    for (const { name, summary } of commands.filter((c) => c.name.startsWith(`${group} `))) {
      expect(out).toMatch(new RegExp(`^ {2}${name} .*${summary}$`, 'm'));
      expect(out).toContain(`  mailauth ${name} --help\n`);
    }
    expect(Math.max(...lines(out).map((l) => l.length))).toBeLessThanOrEqual(100);
    for (const words of [`help ${group}`, `${group} -h`, `--help ${group}`, `${group} --no-color --help`])
      expect([words, (await m.mailauth(words)).out]).toEqual([words, out]);
    expect((await m.mailauth(group)).exit).toBe(2);
    expect((await m.mailauth(`${group} nonsense --help`)).exit).toBe(2);
  });

  it.each<readonly [string, string]>([
    ['help', '--help'],
    ['--help', '--help'],
    ...topics.map((topic) => [`help ${topic}`, `help ${topic}`] as const),
    ...groups.map((group) => [`${group} --help`, `help ${group}`] as const),
    ['status --help', 'help status'],
    ['help token get', 'token get --help'],
  ])('%s --json: one object with the same text', async (words, same) => {
    const text = (await m.mailauth(same)).out;
    const topic = words.replace(/-?-?help ?/, '').trim();
    const expected = { schema: 'mailauth/1', ok: true, command: 'help', data: topic === '' ? { text } : { topic, text } };
    for (const argv of [`${words} --json`, `--json ${words}`]) {
      const { exit, err, json } = await m.mailauth(argv);
      expect([argv, exit, err, json()]).toEqual([argv, 0, '', expected]);
    }
  });

  it('--version --json: one object', async () => {
    const { exit, json } = await m.mailauth('--version --json');
    expect([exit, json()]).toEqual([0, { schema: 'mailauth/1', ok: true, command: 'version', data: { version: '0.0.0-test' } }]);
    expect((await m.mailauth('help nonsense --json')).json()).toMatchObject({ ok: false, error: { code: 'unknown-command', exit: 2 } });
  });

  it('help of something unknown is exit 2', async () => {
    expect(await m.mailauth('help nonsense')).toMatchObject({ exit: 2, out: '' });
  });

  it.each(['--version', '-V', '--version --no-color'])('%s prints the version alone', async (words) => {
    expect(await m.mailauth(words)).toMatchObject({ exit: 0, out: '0.0.0-test\n', err: '' });
  });
});

it('MAILAUTH_DEBUG has the command and how it ended, nothing of what was typed', async () => {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  await m.run(['status'], { log });
  await m.run(['token', 'get', 'ada@contoso.com'], { log });
  expect(lines.map((line) => line.replace(/ \d+\.\d+\.[^:]+/, ''))).toEqual([
    'status: begins',
    'status: exit 0',
    'token get: begins',
    'token get: exit 4, mailbox-unknown',
  ]);
});

it.each([
  ['doctor x', 'mailauth doctor takes nothing behind it, and got 1 word'],
  ['test imap a b c', 'mailauth test takes only the protocol and the mailbox behind it, and got 4 words'],
  ['export', 'mailauth export needs the client behind it'],
  ['setup --mailbox', '--mailbox needs a value behind it'],
  ['setup --nope', 'mailauth setup has no option --nope'],
  ['status --json=1', '--json takes no value'],
  ['status --sandbox=true', '--sandbox takes no value'],
  ['store', 'mailauth store needs a subcommand: move, init, restore or keygen'],
])('%s: %s', async (words, said) => {
  const { exit, json } = await m.mailauth(`--json ${words}`);
  expect(exit).toBe(2);
  expect(json().error?.title).toContain(said);
});

it('the first word of a command of two leads to the nearest second one', async () => {
  expect((await m.mailauth('token gte --json')).json().error).toMatchObject({ exit: 2, next: ['mailauth token get --help'] });
});

it.each(['-v', '-V', '--version', 'version'])('%s is the version', async (word) => {
  expect(await m.mailauth(word)).toMatchObject({ exit: 0, out: '0.0.0-test\n' });
});
