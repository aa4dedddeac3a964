import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noted } from '../../src/core/next.ts';
import { shellWord } from '../../src/core/shell/quoting.ts';
import { inTurn, moveFile, removeFile, setVariable, unsetVariable } from '../../src/core/shell-lines.ts';
import { shown } from '../../src/core/shown.ts';
import { clickThrough, openTerminal, type Terminal } from './rigs/tmux.ts';
import { escaped } from './rigs/typist.ts';
import { startWine, type Wine, type WineMore } from './rigs/wine.ts';

/** The packed product on Windows, as Wine has it: credentials, files, locks, processes and a console. */
let wine: Wine;

beforeAll(async () => {
  wine = await startWine();
}, 180_000);
afterAll(() => wine?.remove(), 60_000);

const mailbox = 'helpdesk@contoso.example';
const token = /^ey[\w.-]+\n$/;
const keyFile = 'C:\\mail home\\key.bin';
const withKey = { env: { MAILAUTH_KEY_FILE: keyFile } };
const get = ['token', 'get', '--sandbox'];
const refresh = [...get, '--force-refresh'];

/** `mailauth ARGS` with this exit code; what it printed. */
async function run(argv: readonly string[], { code = 0, ...more }: WineMore & { readonly code?: number } = {}) {
  const ended = await wine.mailauth(argv, more);
  expect(ended.code, `${argv.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(code);
  return ended;
}

/** Wine keeps the entries of the Credential Manager in the registry. */
const credentials = async () =>
  [...(await wine.program(['reg', 'query', 'HKCU\\Software\\Wine\\Credential Manager', '/s'])).stdout.matchAll(/mailauth-sandbox\S*/g)]
    .length;

const locks = (home = 'C:\\mail home\\x') => readdir(wine.here(`${home}\\sandbox\\locks`));

describe('the main job', () => {
  it('sets up, with the tokens in Windows Credential Manager, and tests', async () => {
    const { stdout, stderr } = await run(['setup', '--sandbox', '--yes']);
    expect(stdout).toContain(`✔ ${mailbox} is set up and signed in.`);
    expect(stderr).toContain('Secret store works: Windows Credential Manager');
    expect(await credentials()).toBeGreaterThan(1);
    expect((await run(['test', 'all', '--sandbox'])).stdout).toContain(mailbox);
    const { data } = JSON.parse((await run(['status', '--sandbox', '--json'])).stdout);
    expect(data.summary).toMatchObject({ total: 1, ok: 1 });
  }, 60_000);

  it('hands out tokens: to cmd, to another program, and none of an unknown mailbox', async () => {
    const { stdout } = await run(refresh);
    expect(stdout).toMatch(token);
    expect(await wine.cmd(`mailauth ${get.join(' ')}`)).toEqual({ code: 0, stdout, stderr: '' });
    const spawns = `process.stdout.write(require('node:child_process').execFileSync(${JSON.stringify(wine.argv[0])}, ${JSON.stringify([wine.argv[1], ...get])}));`;
    expect(await wine.node(spawns)).toEqual({ code: 0, stdout, stderr: '' });
    expect((await run([...get, 'nobody@contoso.example'], { code: 4 })).stderr).toContain('nobody@contoso.example is not set up');
  });

  it('moves the tokens into the sealed file', async () => {
    await run(['store', 'keygen', keyFile]);
    await run(['store', 'move', 'file', '--sandbox'], withKey);
    expect(await credentials()).toBe(0);
    expect((await run(refresh, withKey)).stdout).toMatch(token);
  });

  it('tells who can read the files where icacls says it, and makes a task of the Task Scheduler', async () => {
    // The icacls of Wine 8 ends with 0 and says nothing.
    const doctor = await run(['doctor', '--sandbox'], withKey);
    expect(doctor.stdout).toContain('(icacls did not say who can read');
    expect(doctor.stdout).toContain('Windows Credential Manager');
    expect((await run(['keepalive', '--install', '--yes'], withKey)).stdout).toContain('✔ The timer is on');
    // What Wine has understood of the task, in its own words.
    const task = await readFile(wine.here('C:\\windows\\system32\\tasks\\mailauth keepalive'), 'utf8');
    expect(task).toMatch(/<Description>mailauth renews [\s\S]*<StartWhenAvailable>true</);
    await run(['keepalive', '--uninstall', '--yes'], withKey);
    expect(existsSync(wine.here('C:\\mail home\\x\\keepalive-task.xml'))).toBe(false);
  });

  it('hands out the new token while another program has the sealed file open', async () => {
    const sealed = 'C:\\mail home\\x\\sandbox\\secrets.sealed';
    const [holding, letGo] = ['C:\\holding', 'C:\\let-go'];
    const hold = [
      "const fs = require('node:fs');",
      `fs.openSync(${JSON.stringify(sealed)}, 'r');`,
      `fs.writeFileSync(${JSON.stringify(holding)}, '');`,
      `setInterval(() => fs.existsSync(${JSON.stringify(letGo)}) && process.exit(), 50);`,
    ];
    const holder = wine.node(hold.join('\n'));
    while (!existsSync(wine.here(holding))) await sleep(50);
    const before = await readFile(wine.here(sealed));
    const { stdout, stderr } = await run(refresh, withKey);
    expect(stdout).toMatch(token);
    expect(stderr.replace(/\s+/g, ' ')).toContain(`The new token was not stored: Another program has ${sealed} open.`);
    expect(await readFile(wine.here(sealed))).toEqual(before);
    await writeFile(wine.here(letGo), '');
    await holder;
    expect(await run(refresh, withKey)).toMatchObject({ stderr: '' });
    expect(await readFile(wine.here(sealed))).not.toEqual(before);
  });

  it('gives five processes at once one token', async () => {
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => run(refresh, withKey)));
    expect(new Set(all.map(({ stdout }) => stdout)).size).toBe(1);
    expect(await locks()).toEqual([]);
  });

  it('moves them back, killed at any moment, and loses none', async () => {
    for (const nth of [1, 2, 3]) {
      const killAfterMs = 150 + Math.random() * 1400;
      await wine.mailauth(refresh, { ...withKey, killAfterMs });
      const next = await run(refresh, withKey);
      expect(next.stdout, `kill ${nth}, after ${killAfterMs} ms`).toMatch(token);
    }
    await run(['store', 'move', 'keychain', '--sandbox'], withKey);
    expect((await run(refresh)).stdout).toMatch(token);
    expect(await locks()).toEqual([]);
  }, 60_000);

  it('leaves nothing behind at logout', async () => {
    await run(['logout', '--sandbox', '--yes']);
    expect(await credentials()).toBe(0);
    expect(await readdir(wine.here('C:\\mail home\\x\\sandbox\\mailboxes'))).toEqual([]);
    expect(await locks()).toEqual([]);
  });
});

it('setup that was killed is run again to its end', async () => {
  const home = 'C:\\killed home';
  const killAfterMs = 800 + Math.random() * 2000;
  const setup = ['setup', '--sandbox', '--yes', '--no-test'];
  await wine.mailauth(setup, { home, killAfterMs });
  const { stdout } = await run(setup, { home });
  expect(stdout, `killed after ${killAfterMs} ms`).toContain('is set up and signed in');
  expect(await locks(home)).toEqual([]);
  await run(['logout', '--sandbox', '--yes'], { home });
}, 60_000);

describe('the wizard in a console', () => {
  const open = async (home: string): Promise<Terminal> => {
    const { program, env } = await wine.console(['setup', '--sandbox'], { home, env: { LANG: 'C.UTF-8' } });
    return openTerminal([], { folder: wine.folder, program, env });
  };
  /** The console of Wine 8 begins some lines further to the right than it believes, and the terminal wraps them where they do not fit. */
  const shown = (text: string) => new RegExp([...text].map((one) => (one === ' ' ? '\\s+' : escaped(one))).join('\\n?'));
  /** Somebody signs in at the address below this heading, in a browser on this machine. */
  const signIn = async (t: Terminal, heading: string) => {
    const asked = shown('Paste the address (or wait for the browser):');
    const screen = await t.until(new RegExp(`${shown(heading).source}[\\s\\S]+${asked.source}`));
    const [address = ''] = /http:\/\/localhost[\s\S]+?(?=\n\n)/.exec(screen.split(shown(heading)).at(-1) ?? '') ?? [];
    await (await fetch(await clickThrough(address.replace(/\s/g, '')))).text();
  };
  /** Keys of the time before a question do not answer it, and a busy Wine shows it some time before it hears keys. */
  const answer = async (t: Terminal, question: string, ...keys: string[]) => {
    await t.until(shown(`? ${question}`));
    await sleep(1000);
    await t.press(...keys, 'Enter');
    await t.until(shown(`✔ ${question}`));
  };

  it('takes answers by keys, colours its marks, and signs in', async () => {
    const home = 'C:\\wizard home';
    const t = await open(home);
    try {
      await answer(t, 'Which mailbox?', ...mailbox);
      await answer(t, 'What is this mailbox for?');
      await answer(t, 'Who opens this mailbox?', 'Down', 'Up');
      await answer(t, 'No browser can be opened here. How do you sign in?');
      await answer(t, 'Create it?');
      await signIn(t, 'Sign in as an administrator:');
      await signIn(t, `Sign in as ${mailbox}, in a browser, at this address:`);
      expect((await t.ended()).code, await t.text()).toBe(0);
      expect(await t.text()).toMatch(shown(`✔ ${mailbox} is set up and signed in.`));
      expect(await t.coloured()).toContain('\u001b[32m✔');
      await run(['logout', '--sandbox', '--yes'], { home });
    } finally {
      await t.close();
    }
  }, 60_000);

  it('says at Ctrl-C that it stopped, and leaves no lock', async () => {
    const home = 'C:\\stopped home';
    const t = await open(home);
    try {
      await t.until('? Which mailbox?');
      await t.press('C-c');
      expect((await t.ended()).code).toBe(130);
      expect(await t.text()).toMatch(shown('Stopped. Nothing was changed.'));
      await sleep(200);
      expect(existsSync(wine.here(`${home}\\sandbox\\locks`)) ? await locks(home) : []).toEqual([]);
    } finally {
      await t.close();
    }
  });
});

describe('what is printed for cmd is typed there as it stands', () => {
  const home = 'C:\\mail & auth\\100% x';
  /** Lines that somebody types at the prompt; a batch file would read percent signs in another way. */
  const typed = (lines: readonly string[], more: WineMore = {}) =>
    wine.program(['cmd'], { home, ...more, input: ['@echo off', ...lines, 'exit', ''].join('\r\n') });

  it('words arrive whole, through a .cmd file as npm writes it', async () => {
    // A percent sign is left out: in a .cmd file Wine expands its arguments once more, which Windows does not.
    const words = ["o'brien@contoso.com", 'a b', 'a&b', 'say "hi" & go', 'C:\\x y\\', 'a^b', 'a|b>c', 'imap,smtp', '(x)', '!x!'];
    await writeFile(
      wine.here('C:\\npm\\words.cjs'),
      "require('node:fs').writeFileSync('C:\\\\words.json', JSON.stringify(process.argv.slice(2)));",
    );
    await writeFile(wine.here('C:\\npm\\words.cmd'), `@"${wine.argv[0]}" "C:\\npm\\words.cjs" %*\r\n`);
    await typed([`words ${words.map((word) => shellWord(word, 'cmd')).join(' ')}`]);
    expect(JSON.parse(await readFile(wine.here('C:\\words.json'), 'utf8'))).toEqual(words);
  });

  it('variables are set and taken away, files moved, shown and removed', async () => {
    await writeFile(wine.here('C:\\a & b.txt'), 'x');
    const cmd = { shell: 'cmd', onWindows: true } as const;
    const steps = [
      setVariable('MAILAUTH_HOME', home),
      setVariable('MAILAUTH_KEY_FILE', { inHome: 'key.bin' }),
      unsetVariable('CI'),
      inTurn(moveFile('C:\\a & b.txt', 'C:\\c 100%.txt'), setVariable('X', 'a"b&c')),
    ];
    await typed([
      ...steps.map((step) => shown(noted(step, 'a remark & more'), cmd)),
      'words x',
      `"${wine.argv[0]}" -e "require('fs').writeFileSync('C:/env.json', JSON.stringify(process.env))"`,
    ]);
    const env = JSON.parse(await readFile(wine.here('C:\\env.json'), 'utf8'));
    expect(env).toMatchObject({ MAILAUTH_HOME: home, X: 'a"b&c' });
    expect(env.MAILAUTH_KEY_FILE).toMatch(/^C:\\users\\\w+\\key\.bin$/i);
    expect(env).not.toHaveProperty('CI');
    expect(existsSync(wine.here('C:\\c 100%.txt'))).toBe(true);
    await typed([shown(removeFile('C:\\c 100%.txt'), cmd)]);
    expect(existsSync(wine.here('C:\\c 100%.txt'))).toBe(false);
  });

  it('mailauth finds cmd out, and each command that it names runs', async () => {
    const odd = "o'bri^en!@fabrikam.example";
    const said = () => readFile(wine.here('C:\\err.txt'), 'utf8');
    const nextOf = async (line: string) => {
      await typed([`${line} > C:\\out.txt 2> C:\\err.txt`]);
      return /try: (.*?)\r?$/m.exec(await said())?.[1] ?? '';
    };
    const setup = await nextOf(`mailauth login "${odd}" --sandbox`);
    expect(setup).toBe(`mailauth setup --mailbox "${odd}" --sandbox`);
    expect(await nextOf(`${setup} --yes --no-test`), await said()).toBe('');
    expect(await readFile(wine.here('C:\\out.txt'), 'utf8')).toContain(`${odd} is set up and signed in`);
    await typed([`mailauth logout --sandbox --yes`]);
  }, 60_000);
});

describe('exports', () => {
  const home = 'C:\\export home';
  beforeAll(async () => {
    await run(['store', 'keygen', 'C:\\export home\\key file.bin'], { home });
    await run(['setup', '--sandbox', '--yes', '--no-test', '--store', 'file', '--key-file', 'C:\\export home\\key file.bin'], { home });
  }, 60_000);

  const exported = async (client: string) =>
    (await run(['export', client, '--sandbox', '--key-file', 'C:\\export home\\key file.bin'], { home })).stdout;
  /** The words of a program that needs no shell, started by CreateProcess. */
  const spawned = (words: readonly string[]) =>
    wine.node(
      `process.stdout.write(require('node:child_process').execFileSync(${JSON.stringify(words[0])}, ${JSON.stringify(words.slice(1))}, { windowsVerbatimArguments: false }));`,
      { home: 'C:\\elsewhere' },
    );

  it('Python and .NET are told a program with its arguments, which gives a token from anywhere', async () => {
    const python = /subprocess\.run\((\[.*?\]), check/.exec(await exported('python'))?.[1] ?? '';
    expect(await spawned(JSON.parse(python))).toMatchObject({ code: 0, stdout: expect.stringMatching(token) });
    const [, program = '', words = ''] = /ProcessStartInfo\((".*?")\)[\s\S]*?new\[\] \{ (.*?) \}/.exec(await exported('dotnet')) ?? [];
    expect(await spawned(JSON.parse(`[${program}, ${words}]`))).toMatchObject({ code: 0, stdout: expect.stringMatching(token) });
  });

  it('Node.js runs its export, which opens the library there', async () => {
    const text = await exported('node');
    const only = text.slice(0, text.indexOf('// One connection')).replace(/^import (?:nodemailer|\{ ImapFlow \}).*\n/gm, '');
    await writeFile(
      wine.here('C:\\mail.mjs'),
      `${only}console.log((await mailauth.token('${mailbox}')).accessToken);\nawait mailauth.close();\n`,
    );
    const ended = await wine.program([wine.argv[0], 'C:\\mail.mjs'], { home: 'C:\\elsewhere' });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(token) });
  });

  it('PowerShell and curl are told the same program', async () => {
    for (const name of ['powershell', 'curl']) {
      const text = await exported(name);
      expect(text).toContain(
        `& '${wine.argv[0]}' ${wine.argv[1]} token get ${mailbox} --sandbox --home 'C:\\export home' --key-file 'C:\\export home\\key file.bin'`,
      );
    }
  });
});
