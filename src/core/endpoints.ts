import type { Endpoints } from './cloud.ts';
import { cloudOfLoginHost } from './cloud.ts';

/** A sign-in service, as far as its addresses can be told from those of others. */
export interface SignInService {
  readonly login: string;
  /** the stand-in on this computer: its ports change, and its pages are http */
  readonly isSandbox: boolean;
}

const parsed = (address: string): URL | undefined => (URL.canParse(address) ? new URL(address) : undefined);

/** Does this address belong to that sign-in service? It is https on the service's own host, or on another host of the same Microsoft cloud. */
export function isEndpointOf(address: string, { login, isSandbox }: SignInService): boolean {
  const [url, home] = [parsed(address), parsed(login)];
  if (url === undefined || home === undefined || url.username !== '' || url.password !== '') return false;
  if (isSandbox) return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname) && ['http:', 'https:'].includes(url.protocol);
  if (url.protocol !== 'https:' || home.protocol !== 'https:') return false;
  if (url.host === home.host) return true;
  const family = cloudOfLoginHost(home.host);
  return family !== undefined && cloudOfLoginHost(url.host) === family;
}

/** Why these endpoints are not those of the sign-in service, in a sentence; undefined where they are. */
export function foreignEndpoint(service: SignInService, { issuer, authorization, token }: Endpoints): string | undefined {
  // Nothing is sent to an issuer, and a laboratory may name any.
  const isAnyIssuer = cloudOfLoginHost(parsed(service.login)?.host ?? '') === undefined && parsed(issuer)?.protocol === 'https:';
  const addresses = { 'token endpoint': token, 'authorization endpoint': authorization, ...(isAnyIssuer ? {} : { issuer }) };
  const [foreign] = Object.entries(addresses).filter(([, address]) => !isEndpointOf(address, service));
  const right = service.isSandbox
    ? 'an address of the sandbox, which is on this computer'
    : `an https address of the sign-in service ${service.login}`;
  return foreign && `Its ${foreign[0]}, ${foreign[1]}, is not ${right}.`;
}
