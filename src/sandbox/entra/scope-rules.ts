import type { Aadsts, Blanks } from '../faults/entra-refusals.ts';
import { resources } from '../tenant/microsoft-resources.ts';

/** A scope of a request, read: which resource it names, and its last path segment. */
export interface AskedScope {
  readonly resource: 'openid' | 'outlook' | 'graph';
  readonly name: string;
  /** as the request wrote it; the token endpoint stamps its answer with the same one */
  readonly prefix: string;
}

type ResourceScope = AskedScope & { readonly resource: 'outlook' | 'graph' };

type ScopesRead =
  | { readonly kind: 'ok'; readonly scopes: readonly AskedScope[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unknown-resource'; readonly resource: string }
  | { readonly kind: 'unknown-scope'; readonly scope: string; readonly resource: string };

const openid = ['openid', 'profile', 'email', 'offline_access'];
const mail = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'];
const graphScopes = [...mail, 'User.Read', 'Mail.Send'];

const outlookPrefixes = ['https://outlook.office.com/', 'https://outlook.office365.com/'];
const graphPrefix = 'https://graph.microsoft.com/';

/** How the consent page describes a scope. The name of the scope is shown below it. */
const words: Readonly<Record<string, string>> = {
  openid: 'Sign you in',
  profile: 'See your name and user name',
  email: 'See your email address',
  offline_access: 'Keep this access until you take it away',
  'IMAP.AccessAsUser.All': 'Read and write your mail over IMAP',
  'POP.AccessAsUser.All': 'Read and write your mail over POP',
  'SMTP.Send': 'Send mail as you over SMTP',
  'User.Read': 'Sign you in and read your profile',
  'Mail.Send': 'Send mail as you',
  'Mail.Send.Shared': 'Send mail on behalf of others',
};

/**
 * Reads the `scope` parameter as Entra does: a bare name belongs to Microsoft Graph (learn.microsoft.com, scopes-oidc),
 * `.default` stands for everything of its resource.
 * @param graph base address of the sandbox's own Graph, accepted as a prefix too
 * @param declared what `.default` stands for with this app; else every mail scope (Outlook), or those and User.Read and Mail.Send (Graph)
 */
export function readScopes(text: string, graph: string, declared?: (resource: 'graph' | 'outlook') => readonly string[]): ScopesRead {
  const asked = text.split(/\s+/).filter((part) => part !== '');
  if (asked.length === 0) return { kind: 'empty' };
  const scopes: AskedScope[] = [];
  for (const scope of asked) {
    const oidc = openid.find((name) => name === scope.toLowerCase());
    if (oidc !== undefined) {
      scopes.push({ resource: 'openid', name: oidc, prefix: '' });
      continue;
    }
    const found = ofResource(scope, graph);
    if (found === undefined) return { kind: 'unknown-resource', resource: scope.slice(0, scope.lastIndexOf('/')) };
    const names = found.name === '.default' ? everything(found.resource, declared) : published(found.resource, found.name);
    if (names.length === 0) return { kind: 'unknown-scope', scope: found.name, resource: found.resource };
    for (const name of names) scopes.push({ resource: found.resource, name, prefix: found.prefix });
  }
  return { kind: 'ok', scopes };
}

/** The refusal of scopes that cannot be read. */
export function scopeRefusal(read: Exclude<ScopesRead, { kind: 'ok' }>): { readonly aadsts: Aadsts; readonly blanks: Blanks } {
  if (read.kind === 'empty') return { aadsts: 900144, blanks: { parameter: 'scope' } };
  if (read.kind === 'unknown-resource') return { aadsts: 500011, blanks: { resource: read.resource } };
  return { aadsts: 650053, blanks: { scope: read.scope, resource: read.resource } };
}

/** `outlook/SMTP.Send`: how consent is remembered, whatever prefix the request used. */
export function consentKey(scope: AskedScope): string {
  return `${scope.resource}/${scope.name}`;
}

/** The line of the consent page for one scope. */
export function inWords(scope: AskedScope): string {
  return words[scope.name] ?? scope.name;
}

function everything(resource: 'graph' | 'outlook', declared: ((resource: 'graph' | 'outlook') => readonly string[]) | undefined) {
  return declared?.(resource) ?? (resource === 'outlook' ? mail : graphScopes);
}

function published(resource: 'graph' | 'outlook', name: string): readonly string[] {
  return resources[resource].scopes.map((one) => one.value).filter((value) => value.toLowerCase() === name.toLowerCase());
}

function ofResource(scope: string, graph: string): ResourceScope | undefined {
  // The sandbox's Exchange is beside its Graph.
  for (const prefix of [...outlookPrefixes, `${graph.replace(/\/graph$/, '/exchange')}/`]) {
    if (scope.toLowerCase().startsWith(prefix)) return { resource: 'outlook', name: bare(scope, prefix), prefix };
  }
  for (const prefix of [graphPrefix, `${graph}/`]) {
    if (scope.toLowerCase().startsWith(prefix)) return { resource: 'graph', name: bare(scope, prefix), prefix };
  }
  return scope.includes('/') ? undefined : { resource: 'graph', name: scope, prefix: '' };
}

// People write `https://outlook.office.com//.default` because of an old Microsoft example.
function bare(scope: string, prefix: string): string {
  return scope.slice(prefix.length).replace(/^\/+/, '');
}
