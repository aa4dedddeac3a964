import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileNames } from '../../src/by-hand/handoff/handoff-request.ts';
import { namedCloud } from '../../src/core/cloud.ts';
import { applicationBody, permissionIds } from '../../src/entra/manifest.ts';
import { handoffRequest, handoffText, tenantId } from '../support/handoff.ts';
import { type GraphDirectory, startGraphDirectory } from './rigs/graph-directory.ts';

/** What an administrator runs with bash: by ShellCheck and with the real Azure CLI. PowerShell is in powershell.test.ts. */
const hostile = `o'hara "\`id\`" $(id) ‘x’ ü`;
const everyGuide = [
  handoffRequest('osticket', { signInAs: "o'hara@contoso.com" }),
  handoffRequest('this-computer', { cloud: namedCloud('china') }),
  handoffRequest('kaseya', { cloud: { ...namedCloud('public'), name: 'lab' } }),
  handoffRequest('mspbots', { answers: { name: hostile, audience: 'multi-and-personal' }, goOn: hostile }),
  handoffRequest('supportpal'),
  handoffRequest('custom', { answers: { clientType: 'confidential' } }),
  handoffRequest('osticket', { answers: { consent: 'skip', audience: 'personal', protocols: ['imap'] } }),
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailauth-scripts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(file, [...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

it.each(everyGuide)('ShellCheck has nothing to say about the script for $title', async (request) => {
  const script = join(folder, fileNames.azureCli);
  await writeFile(script, handoffText(request, fileNames.azureCli));
  expect(await run('shellcheck', ['--shell=bash', script])).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('the script for the Azure CLI', () => {
  let graph: GraphDirectory;
  beforeEach(async () => {
    graph = await startGraphDirectory();
  });
  afterEach(() => graph.close());

  /** The real `az rest`, without a sign-in; only who is signed in and the pauses are made up. */
  async function runScript(argv: readonly string[] = [], signedIn = tenantId): Promise<Ended> {
    const bin = join(folder, 'bin');
    await mkdir(bin, { recursive: true });
    const az = `#!/bin/bash
case "$1 $2" in
  'account show') echo '${signedIn}' ;;
  'cloud show') echo AzureCloud ;;
  rest*) shift; exec /usr/bin/az rest --skip-authorization-header "$@" ;;
  *) exit 64 ;;
esac
`;
    for (const [name, text] of [
      ['az', az],
      ['sleep', '#!/bin/bash\n'],
    ] as const) {
      await writeFile(join(bin, name), text);
      await chmod(join(bin, name), 0o700);
    }
    const script = join(folder, fileNames.azureCli);
    await writeFile(script, handoffText(request(), fileNames.azureCli));
    return run('bash', [script, ...argv], {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: folder,
      TMPDIR: folder,
      AZURE_CONFIG_DIR: join(folder, 'azure'),
      AZURE_CORE_COLLECT_TELEMETRY: 'no',
    });
  }
  const request = () => handoffRequest('osticket', { cloud: { ...namedCloud('public'), graph: graph.address } });
  const calls = () => graph.changes.splice(0).map(({ call }) => call);
  const popId = '00000000-1111-4222-8333-444444444444';
  const wanted = () => applicationBody(request().plan, { ...permissionIds.exchange, 'POP.AccessAsUser.All': popId });

  it('registers everything once, and a second run changes nothing', { timeout: 240_000 }, async () => {
    graph.refuse.set('POST /servicePrincipals', { status: 400, code: 'Request_BadRequest', message: 'NoBackingApplicationObject' });
    const first = await runScript();
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('is not visible everywhere in the directory yet') });
    const [app] = graph.applications;
    const sp = graph.servicePrincipals.find((one) => one.appId === app?.appId);
    expect(app).toMatchObject(wanted());
    expect(graph.changes[0]?.body).toEqual(wanted());
    expect(graph.oauth2PermissionGrants).toMatchObject([
      { clientId: sp?.id, resourceId: 'graph-sp', consentType: 'AllPrincipals', scope: request().plan.graphPermissions.join(' ') },
      { clientId: sp?.id, resourceId: 'exchange-sp', consentType: 'AllPrincipals', scope: request().plan.exchangePermissions.join(' ') },
    ]);
    expect(first.stdout).toContain(`Application (client) ID: ${app?.appId}\n`);
    expect(first.stdout).toContain(`--client-id ${app?.appId}\n`);
    expect(first.stdout).toMatch(/Value: {5}made~Up\.Secret_\d+\n/);
    expect(first.stderr).not.toContain('made~Up');
    expect(calls()).toEqual([
      'POST /applications',
      'POST /servicePrincipals',
      'POST /oauth2PermissionGrants',
      'POST /oauth2PermissionGrants',
      'POST /applications/{id}/addPassword',
    ]);

    const second = await runScript();
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining(`--client-id ${app?.appId}\n`) });
    expect(second.stdout).toMatch(/cannot be shown again/);
    expect(calls()).toEqual([]);
    // Nothing of it is left on the disk, least of all a secret.
    expect((await run('grep', ['-rl', 'made~Up', folder])).stdout).toBe('');
  });

  it('repairs what differs and leaves what others added', { timeout: 240_000 }, async () => {
    const { plan } = request();
    const others = { resourceAppId: 'another', resourceAccess: [{ id: 'x', type: 'Role' }] };
    graph.applications.push({
      ...wanted(),
      id: 'app-object',
      appId: 'app-client',
      displayName: 'renamed',
      web: { ...wanted().web, redirectUris: ['https://others.example/cb'] },
      requiredResourceAccess: [others, ...wanted().requiredResourceAccess.slice(0, 1)],
      tags: ['theirs', plan.tag],
      passwordCredentials: [],
    });
    graph.servicePrincipals.push({ id: 'app-sp', appId: 'app-client' });
    const grant = { clientId: 'app-sp', consentType: 'AllPrincipals' };
    graph.oauth2PermissionGrants.push(
      { ...grant, id: 'g1', resourceId: 'graph-sp', scope: ' Mail.Read User.Read' },
      { ...grant, id: 'g2', resourceId: 'exchange-sp', scope: plan.exchangePermissions.join(' ') },
    );
    expect(await runScript()).toMatchObject({ code: 0, stderr: expect.stringContaining('Application app-client: changed') });
    expect(calls()).toEqual(['PATCH /applications/{id}', 'PATCH /oauth2PermissionGrants/{id}', 'POST /applications/{id}/addPassword']);
    const [app] = graph.applications;
    expect(app).toMatchObject({
      displayName: plan.displayName,
      web: { redirectUris: ['https://others.example/cb', ...plan.redirectUris] },
      requiredResourceAccess: [others, ...wanted().requiredResourceAccess],
      tags: ['theirs', plan.tag],
    });
    const scopes = String(graph.oauth2PermissionGrants[0]?.scope).trim().split(' ');
    expect(scopes.sort()).toEqual([...plan.graphPermissions, 'Mail.Read'].sort());

    expect(await runScript(['--with-secret'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/Value: {5}made~Up/) });
    expect(calls()).toEqual(['POST /applications/{id}/addPassword']);
  });

  it('says who can consent when that is refused, and what is there already', { timeout: 120_000 }, async () => {
    const refusal = { status: 403, code: 'Authorization_RequestDenied', message: 'Insufficient privileges' };
    graph.refuse.set('POST /oauth2PermissionGrants', refusal);
    const ended = await runScript();
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/consent was refused.*Global Administrator/) });
    expect(ended.stderr).toContain(String(graph.applications[0]?.appId));
  });

  it('changes nothing in another tenant', async () => {
    const ended = await runScript([], '00000000-0000-0000-0000-00000000000f');
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`az login --allow-no-subscriptions --tenant '${tenantId}'`) });
    expect(graph.changes).toEqual([]);
    expect(await readFile(join(folder, fileNames.azureCli), 'utf8')).toContain(tenantId);
  });
});
