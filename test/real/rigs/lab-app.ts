import { randomUUID } from 'node:crypto';

/** A registration: how it is registered, how the lab treats it now, and what it saw. Change it at any time. */
export interface LabApp {
  readonly clientId: string;
  /** makes it confidential */
  readonly secret: string | undefined;
  /** `http://localhost` takes any port, everything else is compared letter by letter */
  readonly redirectUri: string;
  /** who is signed in in the browser; at first whom the request hints at */
  account: string | undefined;
  authorize: 'approve' | 'deny' | 'server-error' | 'foreign-state-first';
  refusal: Refusal | undefined;
  delayMs: number;
  /** token requests are answered when this is settled */
  held: Promise<void> | undefined;
  lifetimeSeconds: number;
  /** short names that are not granted */
  withheld: readonly string[];
  /** over the usual ones of an access token */
  claims: Readonly<Record<string, string | number>>;
  /** token requests that presented a refresh token of ours */
  refreshes: number;
  /** in order, `authorize` and the grants, with the AADSTS number that answered them or `ok` */
  readonly seen: string[];
  /** every secret text that it gave out or took: codes, verifiers, tokens */
  readonly secrets: Set<string>;
  readonly accessTokens: string[];
}

export function newApp(wanted: Partial<LabApp>): LabApp {
  return {
    clientId: randomUUID(),
    secret: undefined,
    redirectUri: 'http://localhost',
    account: undefined,
    authorize: 'approve',
    refusal: undefined,
    delayMs: 0,
    held: undefined,
    lifetimeSeconds: 3600,
    withheld: [],
    claims: {},
    refreshes: 0,
    seen: [],
    secrets: new Set(),
    accessTokens: [],
    ...wanted,
  };
}

/** What the lab can be told to answer instead of tokens. */
export type Refusal = 'unavailable' | 'throttled' | 'revoked' | 'code-expired';

/** An answer of the token endpoint that is no grant (RFC 6749 section 5.2), with Entra's number. */
export class Refused extends Error {
  readonly status: number;
  readonly error: string;
  readonly aadsts: number;
  readonly headers: Record<string, string>;

  constructor(status: number, error: string, aadsts: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.error = error;
    this.aadsts = aadsts;
    this.headers = headers;
  }
}

export const refusals: Readonly<Record<Refusal, () => Refused>> = {
  unavailable: () => new Refused(503, 'temporarily_unavailable', 90006, 'External error.'),
  throttled: () => new Refused(429, 'temporarily_unavailable', 90055, 'Server overload.', { 'retry-after': '7' }),
  revoked: () => new Refused(400, 'invalid_grant', 700082, 'The refresh token has expired due to inactivity.'),
  'code-expired': () => new Refused(400, 'invalid_grant', 70008, 'The provided authorization code or refresh token has expired.'),
};

/** The body as Entra writes it. */
export function oauthError({ error, aadsts, message }: Refused) {
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  const [trace_id, correlation_id] = [randomUUID(), randomUUID()];
  return {
    error,
    error_description: `AADSTS${aadsts}: ${message} Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`,
    error_codes: [aadsts],
    timestamp,
    trace_id,
    correlation_id,
  };
}

export function checkSecret(app: LabApp, sent: string | undefined): void {
  if (app.secret === sent) return;
  if (sent === undefined) throw new Refused(401, 'invalid_client', 7000218, "The request body must contain 'client_secret'.");
  if (app.secret === undefined) throw new Refused(401, 'invalid_client', 700025, 'Client is public so the secret should not be presented.');
  throw new Refused(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
}

export function refuse(app: LabApp, applies: readonly Refusal[]): void {
  if (app.refusal !== undefined && applies.includes(app.refusal)) throw refusals[app.refusal]();
}

/** Keeps the answers to token requests back until the function that it answers is called. */
export function hold(app: LabApp): () => void {
  let letGo: () => void = () => undefined;
  app.held = new Promise((done) => {
    letGo = done;
  });
  return () => {
    app.held = undefined;
    letGo();
  };
}

/** Looks every 50 ms, for 40 s at most. */
export async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await reached()); tries += 1) {
    if (tries === 800) throw new Error(`never: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
