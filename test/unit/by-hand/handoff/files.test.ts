import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { blanks } from '../../../../src/by-hand/handoff/azure-cli.ts';
import { type HandoffRequest, handoffFiles } from '../../../../src/by-hand/handoff/handoff-files.ts';
import { fileNames, handoffSecretName } from '../../../../src/by-hand/handoff/handoff-request.ts';
import { namedCloud } from '../../../../src/core/cloud.ts';
import { MailauthError } from '../../../../src/core/errors.ts';
import { applicationBody, grantBody, passwordBody, servicePrincipalBody } from '../../../../src/entra/manifest.ts';
import { products } from '../../../../src/products/products.ts';
import { handoffRequest, handoffText, tenantId } from '../../../support/handoff.ts';

describe.each(['osticket', 'this-computer'])('%s', (product) => {
  const request = handoffRequest(product);

  it('is written as the golden files show it', async () => {
    for (const { name, text } of handoffFiles(request)) {
      await expect(text).toMatchFileSnapshot(`../../../golden/handoff/${product}/${name}`);
    }
  });
});

/** Every guide, and those that a flag changes: what is sent decides what stands in the tenant. */
describe.each([
  ...products.map(({ name }) => ({ product: name, answers: {} })),
  { product: 'osticket', answers: { variant: 'older-plugin' } },
  { product: 'this-computer', answers: { clientType: 'confidential' as const, redirectUri: 'http://localhost:23682/mailauth' } },
  { product: 'custom', answers: { clientType: 'confidential' as const, audience: 'multi' as const } },
])('the scripts for $product $answers', ({ product, answers }) => {
  const request = handoffRequest(product, { answers });
  const withSecret = request.plan.secretMonths !== undefined;

  it('sends from bash the very bodies that --register auto sends', () => {
    const bodies = heredocs(handoffText(request, fileNames.azureCli));
    expect(bodies).toEqual({
      'application.json': applicationBody(request.plan),
      'service-principal.json': servicePrincipalBody(blanks.appId),
      'grant-graph.json': grantBody({ ...spIds, scopes: request.plan.graphPermissions }),
      'grant-exchange.json': grantBody({ ...spIds, scopes: request.plan.exchangePermissions }),
      ...(withSecret ? { 'password.json': password(request) } : {}),
    });
  });

  it('sends from PowerShell the very bodies that --register auto sends', () => {
    const bodies = hereStrings(handoffText(request, fileNames.graph));
    for (const body of [
      applicationBody(request.plan),
      servicePrincipalBody(blanks.appId),
      grantBody({ ...spIds, scopes: request.plan.graphPermissions }),
      grantBody({ ...spIds, scopes: request.plan.exchangePermissions }),
      ...(withSecret ? [password(request)] : []),
    ]) {
      expect(bodies).toContainEqual(body);
    }
  });
});

const spIds = { clientSpId: blanks.clientSpId, resourceSpId: blanks.resourceSpId };
const password = ({ plan }: HandoffRequest) => passwordBody({ displayName: handoffSecretName(plan.tag), endDateTime: blanks.endDateTime });

const heredocs = (script: string) =>
  Object.fromEntries(
    [...script.matchAll(/^cat >"\$work\/(\S+)" <<'END_OF_JSON'\n(.*?)\nEND_OF_JSON$/gms)].map(([, name = '', json = '']) => [
      name,
      JSON.parse(json),
    ]),
  );
const hereStrings = (script: string): unknown[] => [...script.matchAll(/@'\n(.*?)\n'@/gs)].map(([, json = '']) => JSON.parse(json));

it('has no secret in any file, and only one that is planned is made', () => {
  const without = handoffText(handoffRequest('this-computer'), fileNames.azureCli);
  expect(without).not.toMatch(/addPassword|--with-secret/);
  expect(handoffText(handoffRequest('osticket'), fileNames.azureCli)).toMatch(/addPassword/);
});

it('asks for no consent where none was chosen', () => {
  const request = handoffRequest('osticket', { answers: { consent: 'user' } });
  expect(handoffText(request, fileNames.azureCli)).not.toMatch(/oauth2PermissionGrants/);
  expect(handoffText(request, fileNames.graph)).not.toMatch(/oauth2PermissionGrants|DelegatedPermissionGrant/);
  expect(handoffText(request, fileNames.readme)).not.toMatch(/whole organization/);
});

describe('Exchange Online', () => {
  const exchange = (request: HandoffRequest) => handoffText(request, fileNames.exchange);

  it('switches on only the chosen protocols', () => {
    const smtp = exchange(handoffRequest('mspbots'));
    expect(smtp).toMatch(/-SmtpClientAuthenticationDisabled \$false/);
    expect(smtp).not.toMatch(/ImapEnabled|PopEnabled|MailboxPermission|RecipientPermission/);
    const imap = exchange(handoffRequest('this-computer', { answers: { protocols: ['imap'] } }));
    expect(imap).toMatch(/-ImapEnabled \$true/);
    expect(imap).not.toMatch(/SmtpClient|PopEnabled/);
  });

  it('lets the licensed user into a shared mailbox, and send as it only where mail is sent', () => {
    const request = handoffRequest('osticket', { signInAs: 'agent@contoso.com' });
    expect(exchange(request)).toMatch(/Add-MailboxPermission .* -AccessRights FullAccess/);
    expect(exchange(request)).toMatch(/Add-RecipientPermission .* -AccessRights SendAs -Confirm:\$false/);
    const reading = handoffRequest('this-computer', { signInAs: 'agent@contoso.com', answers: { protocols: ['imap'] } });
    expect(exchange(reading)).toMatch(/Add-MailboxPermission/);
    expect(exchange(reading)).not.toMatch(/RecipientPermission/);
    expect(exchange(handoffRequest('osticket', { signInAs: 'helpdesk@contoso.com' }))).not.toMatch(/Permission/);
  });
});

it.each([
  ['public', "'AzureCloud'", "$environment = 'Global'", 'Connect-ExchangeOnline -ShowBanner'],
  ['usgov', "'AzureUSGovernment'", "$environment = 'USGov'", '-ExchangeEnvironmentName O365USGovGCCHigh'],
  ['usgov-dod', "'AzureUSGovernment'", "$environment = 'USGovDoD'", '-ExchangeEnvironmentName O365USGovDoD'],
  ['china', "'AzureChinaCloud'", "$environment = 'China'", '-ExchangeEnvironmentName O365China'],
] as const)('names the cloud %s as each tool does', (name, azure, graph, exchange) => {
  const request = handoffRequest('osticket', { cloud: namedCloud(name) });
  expect(handoffText(request, fileNames.azureCli)).toContain(azure);
  expect(handoffText(request, fileNames.azureCli)).toContain(`graph_url='${namedCloud(name).graph}'`);
  expect(handoffText(request, fileNames.graph)).toContain(graph);
  expect(handoffText(request, fileNames.exchange)).toContain(exchange);
});

it('writes no script for a personal account: there is no tenant to sign in to', () => {
  const names = handoffFiles(handoffRequest('this-computer', { tenantId: 'consumers' })).map(({ name }) => name);
  expect(names).toEqual([fileNames.readme, fileNames.portal]);
});

describe('values of others', () => {
  const hostile = `'; rm -rf ~ #"$(touch /tmp/x)\`id\` %s ‘’ ü 😀 END_OF_JSON '@`;
  const request = handoffRequest('osticket', {
    mailbox: "o'hara`id`$(id)@contoso.com",
    signInAs: "a'gent@contoso.com",
    goOn: `mailauth setup ${hostile}`,
    answers: { name: hostile, redirectUri: `https://help.contoso.com/'$(id)\`"` },
  });

  it('stay data in bash, which finds no error in the script', () => {
    const script = handoffText(request, fileNames.azureCli);
    expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    expect(heredocs(script)['application.json']).toEqual(applicationBody(request.plan));
    // The values and questions alone, run: what comes out is what went in, and nothing else ran.
    const assignments = script.split('\n').filter((line) => /^(?:go_on|as_planned)=/.test(line));
    const run = spawnSync('bash', ['-c', `${assignments.join('\n')}\nprintf '%s' "$go_on"`], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stdout: request.goOn, stderr: '' });
  });

  it('stay data in PowerShell: ASCII only, and each here-string is JSON', () => {
    for (const name of [fileNames.graph, fileNames.exchange]) {
      expect(handoffText(request, name)).toMatch(/^[\n -~]*$/);
    }
    expect(hereStrings(handoffText(request, fileNames.graph))).toContainEqual(applicationBody(request.plan));
  });

  it.each(['a\nb', 'a\rb', 'a\u202eb', 'a\u0000b', 'a\u2028b'])('are refused with a line break or an invisible character: %j', (goOn) => {
    expect(() => handoffFiles({ ...request, goOn })).toThrow(expect.objectContaining({ code: 'value-invalid', exit: 2 }));
    expect(() => handoffFiles({ ...request, goOn })).toThrow(MailauthError);
  });
});

it('says in the README who may do it, what to send back, and how it goes on', () => {
  const readme = handoffText(handoffRequest('osticket'), fileNames.readme);
  expect(readme).toContain(tenantId);
  expect(readme).toMatch(/Cloud Application Administrator/);
  expect(readme).toMatch(/Application \(client\) ID: a GUID/);
  expect(readme).toMatch(/never by mail or chat/);
  expect(readme).toMatch(/```\nmailauth setup --for osticket .* --client-id CLIENT-ID\n```/);
});
