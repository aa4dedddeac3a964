import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOutput } from '../support/json-schema.ts';
import { newHome, program } from './rigs/chromium.ts';
import { runToEnd } from './rigs/keyring.ts';

const mailbox = 'relay@contoso.com';
const page = await readFile(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind = '', text = '']) => ({ kind, text }));
const tried = new Set<string>();

/** The one block of this kind with this word in it. */
function recipe(kind: string, word: string): string {
  const [only, ...more] = blocks.filter((one) => one.kind === kind && one.text.includes(word));
  if (only === undefined || more.length > 0) throw new Error(`${more.length + 1} blocks of ${kind} with "${word}"`);
  tried.add(only.text);
  return only.text;
}

let home: Awaited<ReturnType<typeof newHome>>;
let bin = '';

/** Every path of the recipes as one of this test's folder. */
const here = (text: string): string =>
  text
    .replaceAll('/usr/local/bin', bin)
    .replaceAll('/var/lib/mailauth', join(home.path, 'data'))
    .replaceAll('/etc/mailauth', join(home.path, 'etc'))
    .replaceAll('/run/secrets/mailauth', join(home.path, 'etc'));

const inSandbox = () => ({
  ...home.env,
  PATH: `${bin}:${home.env.PATH}`,
  MAILAUTH_HOME: join(home.path, 'data'),
  MAILAUTH_STORE: 'file',
  MAILAUTH_KEY_FILE: join(home.path, 'etc/key'),
});
const run = (command: string, args: readonly string[], env: Record<string, string> = inSandbox()) => runToEnd(command, args, env);
const sh = (script: string, env = inSandbox()) => run('sh', ['-c', here(script)], env);

beforeAll(async () => {
  home = await newHome();
  bin = join(home.path, 'bin');
  for (const folder of [bin, join(home.path, 'etc'), join(home.path, 'data')]) await mkdir(folder, { mode: 0o700 });
  // What an operator has in the PATH; here it always works in the sandbox.
  await writeFile(join(bin, 'mailauth'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@" --sandbox\n`);
  await chmod(join(bin, 'mailauth'), 0o755);
  expect((await sh('mailauth store keygen /etc/mailauth/key')).code).toBe(0);
  const done = await sh(`mailauth setup --mailbox ${mailbox} --yes --no-test`);
  expect(done.code, done.stderr).toBe(0);
}, 60_000);
afterAll(() => home?.remove());

describe('jq', () => {
  it('lists who must be looked at, and only them', async () => {
    const script = recipe('sh', '--warn-days');
    expect(await sh(script)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect((await sh(script.replace('--warn-days 30', '--warn-days 100'))).stdout).toBe(`${mailbox}\tending\t89\n`);
  });

  it('says why a test is red', async () => {
    const script = recipe('sh', '.diagnosis');
    expect(await sh(script)).toMatchObject({ code: 0, stdout: '' });
    const red = await sh(script.replace('--json', '--json --fault smtp-auth-disabled-tenant'));
    expect(red.stdout).toMatch(/^smtp: .*SMTP AUTH.*\. mailauth /);
  });

  it('reads a token and when it ends', async () => {
    expect((await sh(recipe('sh', 'answer=$('))).stdout).toMatch(
      new RegExp(`^the token of ${mailbox} ends at \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z\\n$`),
    );
  });

  it('shows the code of a set-up while it waits, and its end', async () => {
    const script = recipe('sh', '--unbuffered').replace('11111111-2222-3333-4444-555555555555', '11111111-5a4d-4b0c-9a11-c0ffee000001');
    const { stdout, stderr } = await sh(script.replaceAll('new@contoso.com', 'ada@contoso.example'));
    expect(stdout, stderr).toMatch(/^open http\S+ and type [A-Z0-9-]{6,}\nada@contoso\.example is set up\n$/);
  });

  it('acts by the exit code', async () => {
    const script = recipe('sh', 'case $?');
    const said = async (fault: string) => (await sh(script.replace('--quiet', `--quiet --fault ${fault}`))).stdout;
    expect((await sh(script)).stdout).toBe('all is well\n');
    expect(await said('smtp-auth-disabled-tenant')).toContain('an administrator must act');
    expect(await said('imap-throttled')).toContain('not now');
    expect((await sh(script.replaceAll(mailbox, 'nobody@contoso.com'))).stdout).toContain('somebody must sign in');
  });
});

describe('PowerShell', () => {
  const pwsh = (script: string) => run('pwsh', ['-NoProfile', '-NonInteractive', '-Command', here(script)]);

  it('reads status', async () => {
    const ran = await pwsh(recipe('powershell', '$status'));
    expect(ran.stdout, ran.stderr).toMatch(new RegExp(`${mailbox}\\s+ok\\s+89`));
    const red = await pwsh(recipe('powershell', '$status').replace('--json', '--warn-days 100 --json'));
    expect(red.stdout, red.stderr).toMatch(/WARNING: .*relay@contoso\.com/);
  });

  it('reads one object a line', async () => {
    const script = recipe('powershell', '$lines').replace('--json', '--json --yes');
    const ran = await pwsh(script);
    expect(ran.stdout, ran.stderr).toMatch(/^relay@contoso\.com is signed in until \d{4}-\d\d-\d\d [\d:]+Z\n$/);
    const refused = await pwsh(script.replace('--json', '--json --fault account-locked'));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/Exception|locked/)]);
  });
});

it('Ansible sets a mailbox up, and changes nothing when it is run again', { timeout: 90_000 }, async () => {
  const play = join(home.path, 'mailauth.yml');
  const data = join(home.path, 'data');
  await mkdir(join(home.path, 'by-ansible/etc'), { recursive: true, mode: 0o700 });
  const text = here(recipe('yaml', 'ansible.builtin')).replaceAll(data, join(home.path, 'by-ansible'));
  await writeFile(play, text.replaceAll(join(home.path, 'etc'), join(home.path, 'by-ansible/etc')));
  const python = execFileSync('sh', ['-c', 'head -1 "$(command -v ansible-playbook)" | cut -c3-'], { encoding: 'utf8' }).trim();
  const args = ['-i', 'localhost,', '-c', 'local', '-e', `ansible_python_interpreter=${python}`, play];
  const playbook = () => run('ansible-playbook', args, { ...inSandbox(), ANSIBLE_NOCOLOR: '1', LC_ALL: 'C.UTF-8' });
  const first = await playbook();
  expect(first.stdout, first.stderr).toMatch(/ok=4 +changed=2 +unreachable=0 +failed=0/);
  const second = await playbook();
  expect(second.stdout, second.stderr).toMatch(/ok=4 +changed=0 +unreachable=0 +failed=0/);
});

it('cron leaves the last run in a file, and prints nothing', async () => {
  const lines = here(recipe('crontab', '17 5')).trim().split('\n');
  const env = Object.fromEntries(lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const [, command = ''] = /^17 5 \* \* \* (.*)$/.exec(lines.at(-1) ?? '') ?? [];
  // cron(8): the shell gets the variables of the table, HOME, and nothing else.
  const ran = await run('/bin/sh', ['-c', command], { ...env, HOME: home.path });
  expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
  const text = await readFile(join(home.path, 'data/last-run.json'), 'utf8');
  checkOutput(['keepalive', '--json'], text);
  expect(JSON.parse(text).data.mailboxes).toContainEqual(expect.objectContaining({ mailbox, state: 'fresh' }));
});

it('systemd takes the units, and their command does its work', async () => {
  const service = here(recipe('ini', '[Service]'));
  const timer = recipe('ini', '[Timer]');
  const units = join(home.path, 'units');
  await mkdir(units);
  await writeFile(join(units, 'mailauth-check.service'), service);
  await writeFile(join(units, 'mailauth-check.timer'), timer);
  const files = ['service', 'timer'].map((kind) => join(units, `mailauth-check.${kind}`));
  expect(await run('systemd-analyze', ['verify', '--man=no', ...files])).toMatchObject({ code: 0, stderr: '' });
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(service) ?? [];
  const ran = await sh(command);
  expect([ran.code, JSON.parse(ran.stdout).data.results.every(({ ok }: { ok: boolean }) => ok)]).toEqual([0, true]);
  const [, also] = /^SuccessExitStatus=(\d+)$/m.exec(service) ?? [];
  expect((await sh(`${command} --fault mail-refused`)).code).toBe(Number(also));
});

it('the manifest for Kubernetes is YAML whose names fit, and its commands run with its variables', async () => {
  const manifest = join(home.path, 'cronjob.yaml');
  await writeFile(manifest, recipe('yaml', 'kind: CronJob'));
  // PyYAML comes with Ansible.
  const python = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  const read = await run('/usr/bin/python3', ['-c', python, manifest]);
  const pod = JSON.parse(read.stdout).spec.jobTemplate.spec.template.spec;
  const volumes = pod.volumes.map(({ name }: { name: string }) => name).sort();
  await mkdir(join(home.path, 'data'), { recursive: true });
  for (const { env, volumeMounts, command } of [...pod.initContainers, ...pod.containers]) {
    expect(volumeMounts.map(({ name }: { name: string }) => name).sort()).toEqual(volumes);
    const variables: Record<string, string> = Object.fromEntries(
      env.map(({ name, value }: { name: string; value: string }) => [name, here(value)]),
    );
    const [file, ...args] = command;
    const ran = await run(file, args, { PATH: `${bin}:${home.env.PATH}`, ...variables });
    expect(ran.code, ran.stderr).toBe(0);
    const { MAILAUTH_HOME = '', MAILAUTH_KEY_FILE = '' } = variables;
    // The key that the secret mounts is the one that the variable names, and the home lies in the volume.
    expect([MAILAUTH_KEY_FILE, MAILAUTH_HOME.startsWith(join(home.path, 'data'))]).toEqual([join(home.path, 'etc/key'), true]);
  }
  expect(pod.volumes.find(({ name }: { name: string }) => name === 'key').secret.defaultMode).toBe(0o400);
});

it('each block of the page was run', () => {
  expect(blocks.filter(({ text }) => !tried.has(text))).toEqual([]);
});
