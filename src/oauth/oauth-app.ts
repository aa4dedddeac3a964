import type { Cloud, Endpoints } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { Run } from '../core/run-parts.ts';
import type { Secret } from '../core/secret.ts';

/** The application that signs in, where, and what it may use for that. */
export interface OAuthApp {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly endpoints: Endpoints;
  readonly clientId: string;
  /** makes it a confidential client */
  readonly clientSecret?: Secret;
  /** certificate and key as PEM, in place of a secret: only of an app that acts for itself, never given to MSAL */
  readonly clientCertificate?: Secret;
  readonly network: Network;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Where an app signs in, and which one it is: a mailbox file has all of it. */
interface AppPlace {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly endpoints: Endpoints;
  readonly registration: { readonly clientId: string };
}

/** The app of a set-up as this run reaches it, without its secret or certificate. */
export async function appAt(
  { cloud, tenantId, endpoints, registration }: AppPlace,
  { ctx, stepTimeoutMs, network }: AppRun,
): Promise<Omit<OAuthApp, 'clientSecret' | 'clientCertificate'>> {
  const { clock, signal } = ctx;
  return {
    ...{ cloud, tenantId, endpoints, clientId: registration.clientId },
    ...{ network: await network(), clock, timeoutMs: stepTimeoutMs, signal },
  };
}

export interface AppRun extends Pick<Run, 'network' | 'stepTimeoutMs'> {
  readonly ctx: Pick<Run['ctx'], 'clock' | 'signal'>;
}
