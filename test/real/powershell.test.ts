import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fileNames, type HandoffRequest } from '../../src/by-hand/handoff/handoff-request.ts';
import { namedCloud } from '../../src/core/cloud.ts';
import { shellWord } from '../../src/core/shell/quoting.ts';
import { shown } from '../../src/core/shown.ts';
import { applicationBody, permissionIds } from '../../src/entra/manifest.ts';
import { catalogue } from '../../src/errors/catalogue/catalogue.ts';
import type { Entry } from '../../src/errors/entry/entry.ts';
import { blanksOf } from '../support/blanks.ts';
import { handoffRequest, handoffText, tenantId } from '../support/handoff.ts';
import { newHome, startMailauth } from './rigs/chromium.ts';
import { type GraphDirectory, startGraphDirectory } from './rigs/graph-directory.ts';
import { runPowerShell } from './rigs/powershell.ts';

const hostile = `o'hara "\`id\`" $(id) ‘x’ ü`;
const popId = '00000000-1111-4222-8333-444444444444';

let folder: string;
let graph: GraphDirectory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailauth-powershell-'));
  graph = await startGraphDirectory();
});
afterEach(async () => {
  await graph.close();
  await rm(folder, { recursive: true, force: true });
});

const calls = () => graph.changes.splice(0).map(({ call }) => call);
const onGraph = () => ({ folder, env: { RIG_GRAPH: graph.address, RIG_TENANT: tenantId, RIG_EXCHANGE: join(folder, 'exchange.json') } });

/** One process runs these files one after the other; pauses take no time. A script that fails says so, and the next one runs. */
async function runScripts(request: HandoffRequest, runs: readonly string[], where = onGraph()) {
  const lines = ['function Start-Sleep { }', 'Set-StrictMode -Version Latest'];
  for (const [i, run] of runs.entries()) {
    const [name = '', ...args] = run.split(' ');
    const path = join(folder, `${i}-${name}`);
    await writeFile(path, handoffText(request, name));
    lines.push(`'== ${i}'; try { & '${path}' ${args.join(' ')} } catch { "FAILED: $_" }`);
  }
  const { code, stdout, stderr } = await runPowerShell(lines.join('\n'), where);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split(/^== \d+\n/m).slice(1);
}

async function exchangeKnows(mailboxes: Record<string, object>): Promise<void> {
  const state = { mailboxes, permissions: [], trustees: [], servicePrincipals: [], calls: [] };
  await writeFile(join(folder, 'exchange.json'), JSON.stringify(state));
}
const exchange = async () => JSON.parse(await readFile(join(folder, 'exchange.json'), 'utf8'));
const closed = { ImapEnabled: false, PopEnabled: true, SmtpClientAuthenticationDisabled: null };

const rows: readonly HandoffRequest[] = [
  handoffRequest('osticket', { signInAs: "o'hara@contoso.com" }),
  handoffRequest('this-computer', { cloud: namedCloud('china') }),
  handoffRequest('kaseya', { cloud: { ...namedCloud('public'), name: 'lab' } }),
  handoffRequest('mspbots', {
    answers: { name: hostile, audience: 'multi-and-personal' },
    goOn: `mailauth setup --client-id CLIENT-ID ${hostile}`,
  }),
  handoffRequest('supportpal', { mailbox: "o'hara@contoso.com" }),
  handoffRequest('custom', { answers: { clientType: 'confidential' } }),
];

describe('the scripts for an administrator, in the real PowerShell', () => {
  it.each(rows)('$title: both scripts run twice, and the second run changes nothing', { timeout: 120_000 }, async (request) => {
    await exchangeKnows({ [request.mailbox]: closed });
    graph.refuse.set('POST /servicePrincipals', { status: 400, code: 'Request_BadRequest', message: 'NoBackingApplicationObject' });
    const once = [fileNames.graph, fileNames.exchange];
    const [first = '', , again = '', lastly = ''] = await runScripts(request, [...once, ...once]);
    const [app] = graph.applications;
    const { plan } = request;
    const wanted = applicationBody(plan, { ...permissionIds.exchange, 'POP.AccessAsUser.All': popId });
    expect(app).toMatchObject(wanted);
    expect(graph.changes.find(({ call }) => call === 'POST /applications')?.body).toEqual(wanted);
    const goOn = request.goOn.replace('CLIENT-ID', String(app?.appId));
    for (const said of [first, again]) {
      expect(said).toContain(`Application (client) ID: ${app?.appId}\n`);
      expect(said).toContain(`  ${goOn}\n`);
      expect(said).not.toContain('FAILED');
    }
    expect(first).toContain('is not visible everywhere in the directory yet');
    if (plan.secretMonths !== undefined) {
      expect(first).toMatch(/Value: {5}made~Up\.Secret_\d+\n/);
      expect(again).toContain('cannot be shown again');
    }
    const made = calls();
    expect(made.filter((call) => call === 'POST /applications')).toHaveLength(1);
    expect(made.filter((call) => call.startsWith('PATCH'))).toEqual([]);
    expect(new Set(made.filter((call) => !call.includes('Grants')))).toHaveProperty(
      'size',
      made.filter((call) => !call.includes('Grants')).length,
    );
    expect(graph.oauth2PermissionGrants.map(({ scope }) => scope)).toEqual(
      plan.consent === 'admin' ? [plan.graphPermissions.join(' '), plan.exchangePermissions.join(' ')].filter((scope) => scope !== '') : [],
    );
    const state = await exchange();
    const uses = (name: string) => plan.exchangePermissions.some((permission) => permission.startsWith(name));
    expect(state.mailboxes[request.mailbox]).toEqual({
      ImapEnabled: uses('IMAP'),
      PopEnabled: true,
      SmtpClientAuthenticationDisabled: uses('SMTP') ? false : null,
    });
    expect(new Set(state.calls)).toHaveProperty('size', state.calls.length);
    expect(lastly).toMatch(/Before:[\s\S]*Enabled +: True|Before:[\s\S]*Disabled +: False[\s\S]*After:/);
    if (request.signInAs !== undefined) expect(state.permissions).toMatchObject([{ User: request.signInAs, AccessRights: ['FullAccess'] }]);
  });

  it('app-only: the app gets rights on this mailbox once', { timeout: 60_000 }, async () => {
    const base = handoffRequest('custom');
    const request = { ...base, plan: { ...base.plan, appRoles: ['IMAP.AccessAsApp', 'SMTP.SendAsApp'] } as HandoffRequest['plan'] };
    await exchangeKnows({ [request.mailbox]: closed });
    const [clientId, objectId] = ['11111111-2222-4333-8444-555555555555', '66666666-7777-4888-8999-aaaaaaaaaaaa'];
    const run = `${fileNames.exchange} -ClientId ${clientId} -EnterpriseObjectId ${objectId}`;
    expect((await runScripts(request, [run, run])).join('')).not.toContain('FAILED');
    const state = await exchange();
    expect(state.servicePrincipals).toEqual([{ AppId: clientId, ObjectId: objectId, DisplayName: 'mailauth' }]);
    expect(state.permissions).toMatchObject([{ User: objectId, AccessRights: ['FullAccess'] }]);
    expect(new Set(state.calls)).toHaveProperty('size', state.calls.length);
  });

  it('says what is wrong, and changes nothing in another tenant', { timeout: 120_000 }, async () => {
    const [request] = rows;
    if (request === undefined) throw new Error('no request');
    await exchangeKnows({ [request.mailbox]: closed });
    const both = [fileNames.graph, fileNames.exchange];
    const other = { ...onGraph(), env: { ...onGraph().env, RIG_TENANT: '00000000-0000-0000-0000-00000000000f' } };
    expect((await runScripts(request, both, other)).map((text) => /FAILED: (.*)/.exec(text)?.[1])).toEqual([
      `Signed in to the tenant 00000000-0000-0000-0000-00000000000f, not to ${tenantId}.`,
      `You are signed in to another tenant than ${tenantId}.`,
    ]);
    expect([calls(), (await exchange()).calls]).toEqual([[], []]);
    const missing = await runScripts(request, both, { ...onGraph(), modules: false } as ReturnType<typeof onGraph>);
    for (const text of missing) expect(text).toMatch(/FAILED: .* is not installed: Install-Module /);
    graph.refuse.set('POST /oauth2PermissionGrants', {
      status: 403,
      code: 'Authorization_RequestDenied',
      message: 'Insufficient privileges',
    });
    await exchangeKnows({});
    const [refused = '', unknown = ''] = await runScripts(request, both);
    expect(refused).toMatch(/FAILED: The application exists, but consent was refused.*Global Administrator.*Insufficient privileges/s);
    expect(unknown).toMatch(/FAILED: .*couldn't be found/);
    // Another secret only when it is asked for.
    await runScripts(request, [fileNames.graph]);
    calls();
    expect((await runScripts(request, [`${fileNames.graph} -WithSecret`]))[0]).toMatch(/Value: {5}made~Up/);
    expect(calls()).toEqual(['POST /applications/{id}/addPassword']);
  });
});

const words = [
  ...[
    "o'hara@contoso.com",
    '‘curly’ ‚low‛ “double” „x',
    'a"b',
    '$(Get-Date)',
    '$env:HOME',
    '`n`',
    'a;b',
    'a|b',
    'a & b',
    '--%',
    '@splat',
    '#note',
    'a,b',
  ],
  ...[
    'imap,smtp',
    'trailing\\',
    'C:\\Program Files\\x\\',
    '%PATH%',
    '{x}',
    '(x)',
    '<x>',
    '*',
    '~',
    'ünï',
    'two words',
    '',
    '!',
    '^',
    '=',
    '1kb',
    'a\nb',
    'tab\there',
  ],
];

describe('a word of a printed line', () => {
  it('reaches a command of PowerShell and a program exactly as it was', { timeout: 60_000 }, async () => {
    const print = join(folder, 'print.mjs');
    await writeFile(print, 'console.log(JSON.stringify(process.argv.slice(2)));\n');
    const lines = words.flatMap((word) => [
      `Show-Value -Identity ${shellWord(word, 'powershell')}`,
      `& '${process.execPath}' '${print}' ${shellWord(word, 'powershell')} end`,
    ]);
    const head = 'function Show-Value { param([string] $Identity) ConvertTo-Json -Compress $Identity }';
    const { stdout, stderr } = await runPowerShell([head, ...lines].join('\n'), { folder });
    expect(stderr).toBe('');
    const read = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    // PowerShell keeps one word for itself, however it is quoted: a program never sees it (about_Parsing, "The stop-parsing token").
    const seen = (word: string) => (word === '--%' ? ['end'] : [word, 'end']);
    expect(read).toEqual(words.flatMap((word) => [word, seen(word)]));
  });
});

describe('a line for an administrator', () => {
  it('each of the catalogue is whole PowerShell, and its commands get a hostile mailbox exactly', { timeout: 60_000 }, async () => {
    const mailbox = "o'hara‘s$(x)@contoso.com";
    await exchangeKnows({ [mailbox]: closed });
    const lines = Object.entries<Entry<unknown>>(catalogue as never).flatMap(([code, entry]) => {
      const said = entry.admin?.(blanksOf(code, { user: mailbox, mailbox, tokenUser: mailbox }));
      const line = typeof said === 'object' ? shown(said, { shell: 'posix' }) : '';
      return /\b(?:Get|Set|Add|New|Enable|Test)-\w+ -/.test(line) ? [line] : [];
    });
    expect(lines.length).toBeGreaterThan(10);
    // What stands before the first command is a sentence for people.
    const code = lines.map((line) => line.slice(line.search(/\b(?:Get|Set|Add|New|Enable|Test)-\w+ -/)));
    const quoted = (text: string) => `'${text.replaceAll("'", "''").replaceAll('‘', '‘‘')}'`;
    const script = code.map(
      (line) =>
        `$broken = $null; $null = [System.Management.Automation.Language.Parser]::ParseInput(${quoted(line)}, [ref] $null, [ref] $broken); $broken | ForEach-Object { "BROKEN $($_.Message): " + ${quoted(line)} }`,
    );
    const changing = code.filter((line) => /^Set-CASMailbox /.test(line));
    expect(changing.length).toBeGreaterThan(2);
    const { stdout, stderr } = await runPowerShell(
      [...script, 'Import-Module ExchangeOnlineManagement', ...changing].join('\n'),
      onGraph(),
    );
    expect([stdout, stderr]).toEqual(['', '']);
    expect((await exchange()).mailboxes).toEqual({
      [mailbox]: { ImapEnabled: true, PopEnabled: true, SmtpClientAuthenticationDisabled: false },
    });
  });
});

describe('completion powershell', () => {
  let home: Awaited<ReturnType<typeof newHome>>;
  beforeAll(async () => {
    home = await newHome();
    await mkdir(join(home.path, 'bin'));
    await symlink(resolve(import.meta.dirname, '../../bin/mailauth.js'), join(home.path, 'bin', 'mailauth'));
    expect(await startMailauth(['setup', '--sandbox', '--yes', '--no-test'], home.env).ended).toBe(0);
  });
  afterAll(() => home?.remove());

  it('completes commands, values, joined values, mailboxes and files', { timeout: 60_000 }, async () => {
    const lines = [
      'mailauth stat',
      'mailauth setup --for os',
      'mailauth setup --register=por',
      'mailauth token get --sandbox hel',
      'mailauth ',
      'mailauth doctor --report bi',
    ];
    const script = [
      'mailauth completion powershell | Out-String | Invoke-Expression',
      ...lines.map((line) => `(TabExpansion2 '${line}').CompletionMatches.CompletionText -join ' '`),
    ];
    const env = { ...home.env, PATH: `${join(home.path, 'bin')}:${process.env.PATH}`, HOME: home.path };
    const { stdout, stderr } = await runPowerShell(script.join('\n'), { folder: home.path, env });
    expect(stderr).toBe('');
    const [status, product, joined, mailbox, all = '', file = ''] = stdout.trimEnd().split('\n');
    expect([status, product, joined, mailbox]).toEqual(['status', 'osticket', '--register=portal', 'helpdesk@contoso.example']);
    expect(all.split(' ')).toEqual(expect.arrayContaining(['setup', 'login', 'status', 'doctor']));
    expect(file).toMatch(/bin/);
  });
});
