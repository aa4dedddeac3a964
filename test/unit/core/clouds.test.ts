import { describe, expect, it } from 'vitest';
import { topicText } from '../../../src/cli/help-topics.ts';
import {
  cloudNames,
  cloudOfLoginHost,
  isSignInPage,
  namedCloud,
  protocols,
  scriptNames,
  unverifiedNote,
  unverifiedWords,
} from '../../../src/core/cloud.ts';
import { scopesFor } from '../../../src/oauth/scopes.ts';

const hostOf = (address: string): string => new URL(address).host;

describe.each(cloudNames)('the cloud %s', (name) => {
  const cloud = namedCloud(name);

  it('has its name and https addresses without a path', () => {
    expect(cloud.name).toBe(name);
    for (const address of [cloud.login, cloud.graph, cloud.portal, cloud.outlookScopeBase]) expect(address).toMatch(/^https:\/\/[^/]+$/);
  });

  it('has encrypted mail hosts at the ports of the protocols', () => {
    expect(protocols.map((protocol) => cloud[protocol].port)).toEqual([993, 995, 587]);
    for (const protocol of protocols) expect(cloud[protocol]).toMatchObject({ security: protocol === 'smtp' ? 'starttls' : 'tls' });
  });

  it('has mail scopes of its own Outlook address', () => {
    const mail = scopesFor(cloud, protocols).filter((scope) => scope.includes('/'));
    expect(mail).toHaveLength(protocols.length);
    for (const scope of mail) expect(scope.startsWith(`${cloud.outlookScopeBase}/`)).toBe(true);
  });

  it('has a name in each tool that the scripts call', () => {
    const { azureCli, graphPowerShell, exchangePowerShell } = scriptNames(cloud) ?? {};
    for (const word of [azureCli, graphPowerShell, exchangePowerShell ?? 'none']) expect(word).toMatch(/^\w+$/);
  });

  it('has a sign-in host that is known as one of Microsoft', () => {
    expect(cloudOfLoginHost(hostOf(cloud.login))).toBe(name === 'usgov-dod' ? 'usgov' : name);
    expect(isSignInPage(hostOf(cloud.login))).toBe(true);
  });

  it('has its lines in `mailauth help clouds`', () => {
    const words = [name, cloud.login, cloud.imap.host, cloud.smtp.host, cloud.outlookScopeBase, unverifiedWords(cloud) ?? name];
    for (const word of words) expect(topicText('clouds')).toContain(word);
  });
});

it('two clouds are not verified, and say so', () => {
  expect(cloudNames.filter((name) => unverifiedWords(namedCloud(name)) !== undefined)).toEqual(['usgov-dod', 'china']);
});

it('where other programs do it differently, help and the note before a set-up say what to try', () => {
  for (const name of ['usgov-dod', 'china'] as const) expect(unverifiedNote({ name })).toMatch(/Microsoft does not document.*try \S+/);
  expect(topicText('clouds').replace(/\s+/g, ' ')).toMatch(/try https:\/\/outlook-dod\.office365\.us.*try smtp\.partner\.outlook\.cn/);
  expect(['login.usgovcloudapi.net', 'login-us.microsoftonline.com'].map(cloudOfLoginHost)).toEqual(['usgov', 'usgov']);
});

it('each Microsoft cloud has its own names in the scripts; only the Azure CLI has one name for GCC High and DoD', () => {
  for (const tool of ['graphPowerShell', 'exchangePowerShell'] as const) {
    expect(new Set(cloudNames.map((name) => scriptNames({ name })?.[tool])).size).toBe(cloudNames.length);
  }
  expect(scriptNames({ name: 'sandbox' })).toBeUndefined();
});

it('a host that only resembles a page of Microsoft is none', () => {
  for (const host of ['login.microsoftonline.com.example', 'notmicrosoftonline.com', 'localhost']) expect(isSignInPage(host)).toBe(false);
});
