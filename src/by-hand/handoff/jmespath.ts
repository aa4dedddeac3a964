import type { GraphApplicationBody } from '../../entra/manifest.ts';
import { asciiJson } from './script-quoting.ts';

/**
 * Two queries about an application that exists, in the language of `az --query` (jmespath.org), so that the script needs no other program.
 * What others added (redirect URIs, permissions, tags) stays, as in `entra/application.ts`.
 */

/** A JSON literal; a backtick ends it (JMESPath specification, "Literal Expressions"). */
const literal = (value: unknown): string => `\`${asciiJson(value).replaceAll('`', '\\u0060')}\``;

const list = (path: string): string => `not_null(${path}, ${literal([])})`;
const flag = (path: string, wanted: boolean): string => `not_null(${path}, ${literal(false)}) == ${literal(wanted)}`;

/** A query that is true where nothing has to be changed. */
export function asPlanned(wanted: GraphApplicationBody): string {
  const { publicClient, web, requiredResourceAccess } = wanted;
  const native = list('publicClient.redirectUris');
  const sites = list('web.redirectUris');
  const implicit = web.implicitGrantSettings;
  return [
    `displayName == ${literal(wanted.displayName)}`,
    `signInAudience == ${literal(wanted.signInAudience)}`,
    flag('isFallbackPublicClient', wanted.isFallbackPublicClient),
    ...publicClient.redirectUris.map((uri) => `contains(${native}, ${literal(uri)}) && !contains(${sites}, ${literal(uri)})`),
    ...web.redirectUris.map((uri) => `contains(${sites}, ${literal(uri)}) && !contains(${native}, ${literal(uri)})`),
    flag('web.implicitGrantSettings.enableAccessTokenIssuance', implicit.enableAccessTokenIssuance),
    flag('web.implicitGrantSettings.enableIdTokenIssuance', implicit.enableIdTokenIssuance),
    ...requiredResourceAccess.flatMap(({ resourceAppId, resourceAccess }) =>
      resourceAccess.map(({ id }) => `contains(${list(`${accessOn(resourceAppId)}.id`)}, ${literal(id)})`),
    ),
    ...(wanted.api === undefined ? [] : [`api.requestedAccessTokenVersion == ${literal(wanted.api.requestedAccessTokenVersion)}`]),
  ].join(' && ');
}

/** A query that gives the body for `PATCH /applications/{id}`. */
export function merged(wanted: GraphApplicationBody): string {
  const { publicClient, web, requiredResourceAccess } = wanted;
  const uris = [...publicClient.redirectUris, ...web.redirectUris];
  const resources = requiredResourceAccess.map((one) => one.resourceAppId);
  const access = requiredResourceAccess.map(({ resourceAppId, resourceAccess }) => {
    const ids = resourceAccess.map((one) => one.id);
    const others = `not_null(${accessOn(resourceAppId)}, ${literal([])})[?!contains(${literal(ids)}, id)]`;
    return `{resourceAppId: ${literal(resourceAppId)}, resourceAccess: [${others}, ${literal(resourceAccess)}][]}`;
  });
  const fields = {
    displayName: literal(wanted.displayName),
    signInAudience: literal(wanted.signInAudience),
    isFallbackPublicClient: literal(wanted.isFallbackPublicClient),
    publicClient: `{redirectUris: ${joined('publicClient.redirectUris', uris, publicClient.redirectUris)}}`,
    web: `{redirectUris: ${joined('web.redirectUris', uris, web.redirectUris)}, implicitGrantSettings: ${literal(web.implicitGrantSettings)}}`,
    requiredResourceAccess: `[${list('requiredResourceAccess')}[?!contains(${literal(resources)}, resourceAppId)], [${access.join(', ')}]][]`,
    tags: joined('tags', wanted.tags, wanted.tags),
    ...(wanted.api === undefined ? {} : { api: literal(wanted.api) }),
  };
  return `{${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')}}`;
}

const accessOn = (resourceAppId: string): string => `requiredResourceAccess[?resourceAppId == ${literal(resourceAppId)}].resourceAccess[]`;

/** A list with the entries of others first, then ours. */
const joined = (path: string, without: readonly string[], wanted: readonly string[]): string =>
  `[${list(path)}[?!contains(${literal(without)}, @)], ${literal(wanted)}][]`;
