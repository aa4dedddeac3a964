import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enter, type How, type Machine, machine, person } from '../support/command-line.ts';
import { ownSid, windowsPrograms } from '../support/windows.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const folder = () => join(m.home, 'config', 'systemd', 'user');
const service = () => join(folder(), 'mailauth-keepalive.service');
const timer = () => join(folder(), 'mailauth-keepalive.timer');

/** The user's systemd, which remembers what it was told and whether the timer is on. */
function systemd(asked: string[] = [], refused = '') {
  let isOn = false;
  const systemctl: How['systemctl'] = async (args) => {
    const [verb = ''] = args;
    asked.push(args.join(' '));
    if (verb === refused) return 1;
    if (verb === 'enable' || verb === 'disable') isOn = verb === 'enable';
    return verb.startsWith('is-') ? Number(!isOn) : 0;
  };
  return systemctl;
}

const here = (more: How = {}): How => ({ ...more, env: { XDG_CONFIG_HOME: join(m.home, 'config'), ...more.env } });

describe('keepalive --install', () => {
  it('shows the files, asks, writes them with whole paths and starts the timer; a second run changes nothing', async () => {
    const asked: string[] = [];
    const systemctl = systemd(asked);
    const env = {
      MAILAUTH_KEY_FILE: '/etc/mail auth/100%.key',
      MAILAUTH_PASSPHRASE: 'hidden words',
      HTTPS_PROXY: 'http://ada:pw@proxy:3128',
    };
    const { prompts, unasked } = person([['Write these files and start the timer?', enter]]);
    const ran = await m.mailauth('keepalive --install --test imap', here({ systemctl, terminal: true, prompts, env }));
    expect([ran.exit, unasked(), ran.exit === 0 ? '' : ran.err]).toEqual([0, [], '']);
    const unit = await readFile(service(), 'utf8');
    expect(unit).toContain('ExecStart="/usr/bin/node" "/usr/local/bin/mailauth" "keepalive" "--no-input" "--test" "imap"\n');
    expect(unit).toContain(`Environment="MAILAUTH_HOME=${m.home}"\n`);
    expect(unit).toContain('Environment="MAILAUTH_KEY_FILE=/etc/mail auth/100%%.key"\n');
    expect(unit).not.toMatch(/hidden|pw@/);
    expect(ran.err).toContain('OnCalendar=daily');
    expect(ran.err).toMatch(/MAILAUTH_PASSPHRASE is a secret/);
    expect(ran.err).not.toContain('takes its place');
    expect(asked.filter((call) => !call.startsWith('is-'))).toEqual([
      'show --property=Version',
      'daemon-reload',
      'enable --now mailauth-keepalive.timer',
    ]);
    expect(ran.out).toContain('loginctl enable-linger ada');
    const again = await m.mailauth('keepalive --install --test imap --yes', here({ systemctl, env }));
    expect([again.exit, again.out]).toEqual([0, 'The timer is installed already: nothing was changed.\n']);
  });

  it('says that it takes the place of the timer for another folder', async () => {
    const systemctl = systemd();
    await m.mailauth('keepalive --install --yes', here({ systemctl }));
    const other = join(m.home, 'other');
    const ran = await m.mailauth('keepalive --install --yes', here({ systemctl, env: { MAILAUTH_HOME: other } }));
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('takes its place')]);
    expect(ran.err).not.toContain('cache of npx');
    expect(await readFile(service(), 'utf8')).toContain(`Environment="MAILAUTH_HOME=${other}"\n`);
  });

  it('says that it would start a mailauth of npx, which may be gone one day', async () => {
    const program = ['/usr/bin/node', '/home/ada/.npm/_npx/1ff0/node_modules/.bin/mailauth'];
    const ran = await m.mailauth('keepalive --install --yes', here({ systemctl: systemd(), machine: { ...machineOf(), program } }));
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('This names a mailauth in the cache of npx')]);
  });

  it('a timer works on the database of several machines, too: it gets the file with the address, and never the address', async () => {
    const file = await m.mailauth(
      'keepalive --install --yes',
      here({ systemctl: systemd(), env: { MAILAUTH_DATABASE_URL_FILE: '/etc/db' } }),
    );
    expect([file.exit, await readFile(service(), 'utf8')]).toEqual([0, expect.stringContaining('"MAILAUTH_DATABASE_URL_FILE=/etc/db"\n')]);
    const env = { MAILAUTH_DATABASE_URL: 'postgresql://ada:hidden@db.contoso.com/mailauth' };
    const address = await m.mailauth('keepalive --install --yes', here({ systemctl: systemd(), env }));
    expect(address.err).toContain('name a file with MAILAUTH_DATABASE_URL_FILE instead');
    expect(address.err + (await readFile(service(), 'utf8'))).not.toContain('hidden');
  });

  it('the units are good in the eyes of systemd', async () => {
    const env = { MAILAUTH_KEY_FILE: `/etc/it's "quoted" $HOME 100%.key` };
    await m.mailauth(
      'keepalive --install --yes',
      here({ systemctl: systemd(), env, machine: { ...machineOf(), program: [process.execPath, process.argv[1] ?? ''] } }),
    );
    await mkdir(join(m.home, 'run'));
    const { stderr } = await promisify(execFile)('systemd-analyze', ['--user', 'verify', service(), timer()], {
      env: { PATH: process.env.PATH, HOME: m.home, XDG_RUNTIME_DIR: join(m.home, 'run') },
    });
    expect(stderr).toBe('');
  });

  it('without a person it needs --yes, and a person may say no', async () => {
    const ran = await m.mailauth('keepalive --install --json', here({ systemctl: systemd() }));
    expect([ran.exit, ran.json().error?.code]).toEqual([3, 'needs-yes']);
    const { prompts } = person([['Write these files', false]]);
    const no = await m.mailauth('keepalive --install', here({ systemctl: systemd(), terminal: true, prompts }));
    expect([no.exit, no.out]).toEqual([1, 'Nothing was changed.\n']);
    await expect(stat(service())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('where systemd refuses, that is said', async () => {
    const ran = await m.mailauth('keepalive --install --yes --json', here({ systemctl: systemd([], 'enable') }));
    expect([ran.exit, ran.json().error?.title]).toEqual([1, 'systemctl --user enable --now mailauth-keepalive.timer failed (exit 1)']);
  });

  it.each<[string, How, RegExp]>([
    [
      'no systemd',
      {},
      /mailauth-keepalive\.timer[\s\S]*17 6 \* \* \* env MAILAUTH_HOME=\S+ \/usr\/bin\/node \/usr\/local\/bin\/mailauth keepalive --no-input\n/,
    ],
    ['macOS', { platform: 'darwin' }, /LaunchAgents\/mailauth\.keepalive\.plist[\s\S]*launchctl bootstrap/],
  ])('%s: nothing is installed, and the lines for it are printed', async (_, more, wanted) => {
    const ran = await m.mailauth('keepalive --install --yes', here({ env: { APPDATA: m.home, HOME: m.home }, ...more }));
    expect([ran.exit, ran.out, ran.err]).toEqual([1, expect.stringMatching(wanted), expect.stringContaining('No timer was installed')]);
    await expect(stat(service())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('the sandbox shows the files and installs nothing', async () => {
    const asked: string[] = [];
    const ran = await m.mailauth('keepalive --install --sandbox', here({ systemctl: systemd(asked) }));
    expect([ran.exit, asked, ran.out]).toEqual([0, [], expect.stringContaining('The sandbox installs nothing')]);
  });
});

describe('on Windows', () => {
  const file = () => join(m.home, 'keepalive-task.xml');
  const onWindows = (more: Partial<Parameters<typeof windowsPrograms>[0]> = {}, how: How = {}): How => ({
    platform: 'win32',
    windowsProgram: windowsPrograms({ asked: [], ...more }),
    ...how,
    env: { APPDATA: m.home, ...how.env },
  });
  const task = async () => new TextDecoder('utf-16').decode(await readFile(file()));

  it('shows the task, asks, and makes it once; --uninstall removes it', async () => {
    const asked: string[] = [];
    const tasks = new Set<string>();
    const env = { MAILAUTH_KEY_FILE: '/mail auth/key', MAILAUTH_STORE: 'file', HTTPS_PROXY: 'http://proxy:3128' };
    const { prompts, unasked } = person([['Write these files and start the timer?', enter]]);
    const ran = await m.mailauth(
      'keepalive --install --test imap',
      onWindows(
        { asked, tasks },
        { env, terminal: true, prompts, machine: { ...machineOf(), program: ['/n o/node.exe', '/m/mailauth.js'] } },
      ),
    );
    expect([ran.exit, unasked()]).toEqual([0, []]);
    expect(ran.err).toContain('<StartWhenAvailable>true</StartWhenAvailable>');
    expect(ran.err.replace(/\s+/g, ' ')).toContain('HTTPS_PROXY cannot be part of a task');
    expect(ran.out).toContain('schtasks /Query /TN');
    expect(asked.slice(1)).toEqual(['schtasks /Query /TN mailauth keepalive', `schtasks /Create /TN mailauth keepalive /XML ${file()} /F`]);
    expect(await task()).toContain('<Command>/n o/node.exe</Command>');
    expect(await task()).toContain(
      `<Arguments>/m/mailauth.js keepalive --no-input --test imap --home ${m.home} --key-file "/mail auth/key" --store file</Arguments>`,
    );
    expect(await task()).toContain(`<UserId>${ownSid}</UserId>`);
    const again = onWindows({ asked, tasks }, { env, machine: { ...machineOf(), program: ['/n o/node.exe', '/m/mailauth.js'] } });
    expect((await m.mailauth('keepalive --install --test imap --yes', again)).out).toBe(
      'The timer is installed already: nothing was changed.\n',
    );
    const moved = await m.mailauth(
      'keepalive --install --yes',
      onWindows({ tasks }, { env: { ...env, MAILAUTH_HOME: join(m.home, 'other') } }),
    );
    expect([moved.exit, moved.err]).toEqual([0, expect.stringContaining('takes its place')]);
    const gone = await m.mailauth('keepalive --uninstall --yes', again);
    expect([gone.exit, asked.at(-1), tasks.size]).toEqual([0, 'schtasks /Delete /TN mailauth keepalive /F', 0]);
    await expect(stat(file())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('the file is good XML of the Task Scheduler, with every character of a path; the window stays away where Windows can do that', async () => {
    const env = { MAILAUTH_KEY_FILE: `/a <b> & "c"\\/1`, SystemRoot: 'C:\\Windows' };
    const machine = { ...machineOf(), release: '10.0.19045', program: ['/node.exe', '/m.js'] } as const;
    await m.mailauth('keepalive --install --yes', onWindows({}, { env, machine }));
    const bytes = await readFile(file());
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfe]));
    const [, given = ''] = /<Arguments>([^<]*)<\/Arguments>/.exec(await task()) ?? [];
    expect(given.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')).toBe(
      `--headless /node.exe /m.js keepalive --no-input --home ${m.home} --key-file "/a <b> & \\"c\\"\\/1"`,
    );
    expect(await task()).toContain('<Command>C:\\Windows\\System32\\conhost.exe</Command>');
  });

  it('has one answer to which cloud it is: that of the flag, else the file', async () => {
    const env = { MAILAUTH_CLOUD: 'usgov', MAILAUTH_CLOUD_FILE: '/cloud.json' };
    await m.mailauth('keepalive --install --yes --cloud china', onWindows({}, { env }));
    expect(await task()).toMatch(/--cloud china --home \S+<\/Arguments>/);
    await m.mailauth('keepalive --install --yes', onWindows({}, { env }));
    expect(await task()).toMatch(/--no-input --home \S+ --cloud-file \/cloud\.json<\/Arguments>/);
  });

  it('--uninstall removes a task whose file is gone, and a file whose task is gone', async () => {
    const tasks = new Set<string>();
    const asked: string[] = [];
    const how = onWindows({ tasks, asked });
    for (const lose of [() => rm(file()), async () => tasks.clear()]) {
      expect((await m.mailauth('keepalive --install --yes', how)).exit).toBe(0);
      await lose();
      const gone = await m.mailauth('keepalive --uninstall --yes', how);
      expect([gone.exit, gone.out, tasks.size]).toEqual([0, expect.stringContaining('The timer is off'), 0]);
      await expect(stat(file())).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(asked.filter((call) => call.startsWith('schtasks /Delete'))).toHaveLength(1);
    expect((await m.mailauth('keepalive --uninstall --yes', how)).out).toBe('No timer is installed: nothing was changed.\n');
  });

  it('without a person it needs --yes; a refusal of the Task Scheduler is said; the sandbox only shows it', async () => {
    const alone = await m.mailauth('keepalive --install --json', onWindows());
    expect([alone.exit, alone.json().error?.code]).toEqual([3, 'needs-yes']);
    const refused = await m.mailauth('keepalive --install --yes --json', onWindows({ refused: { 'schtasks /Create': 1 } }));
    expect([refused.exit, refused.json().error?.code]).toEqual([1, 'timer-refused']);
    await expect(stat(file())).rejects.toMatchObject({ code: 'ENOENT' });
    const asked: string[] = [];
    const shown = await m.mailauth('keepalive --install --sandbox', onWindows({ asked }));
    expect([shown.exit, shown.out, asked.filter((call) => call.startsWith('schtasks'))]).toEqual([
      0,
      expect.stringContaining('The sandbox installs nothing'),
      [],
    ]);
  });
});

describe('keepalive --uninstall', () => {
  it('stops the timer and removes its files, once', async () => {
    const asked: string[] = [];
    const systemctl = systemd(asked);
    await m.mailauth('keepalive --install --yes', here({ systemctl }));
    const ran = await m.mailauth('keepalive --uninstall --yes', here({ systemctl }));
    expect([ran.exit, asked.slice(-2)]).toEqual([0, ['disable --now mailauth-keepalive.timer', 'daemon-reload']]);
    for (const file of [service(), timer()]) await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    const again = await m.mailauth('keepalive --uninstall --yes', here({ systemctl }));
    expect([again.exit, again.out]).toEqual([0, 'No timer is installed: nothing was changed.\n']);
  });

  it('not together with --install', async () => {
    expect((await m.mailauth('keepalive --install --uninstall', here())).exit).toBe(2);
  });
});

const machineOf = () => ({ node: '20', release: '6', arch: 'x64', user: 'ada', homeFolder: '/home/ada' });
