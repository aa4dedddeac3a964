import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';

interface Refusal {
  readonly error: string;
  readonly status: number;
  readonly text: string;
}

/** Refusals with one OAuth error and one HTTP status: the AADSTS number of each, and Microsoft's own sentence with `{blanks}`. */
function answer<T extends Readonly<Record<number, string>>>(error: string, status: number, texts: T): Record<keyof T, Refusal>;
function answer(error: string, status: number, texts: Readonly<Record<number, string>>): Record<number, Refusal> {
  return Object.fromEntries(Object.entries(texts).map(([aadsts, text]) => [aadsts, { error, status, text }]));
}

/**
 * Everything the sandbox refuses with, in the words of Entra (learn.microsoft.com, reference-error-codes, and replies seen in the wild).
 */
const refusals = {
  ...answer('access_denied', 400, {
    50020:
      "User account '{user}' from identity provider '{domain}' does not exist in tenant 'Contoso' and cannot access the application '{client}' in that tenant. The account needs to be added as an external user in the tenant first.",
    50034:
      "The user account '{user}' does not exist in the contoso.example directory. To sign into this application, the account must be added to the directory.",
    50057: 'The user account is disabled.',
    65004: 'User declined to consent to access the app.',
    90094: 'Admin consent is required for the permissions requested by this application. An admin must grant them before you can use it.',
  }),
  ...answer('authorization_pending', 400, {
    70016: 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  }),
  ...answer('bad_verification_code', 400, {
    70018: 'Bad verification code. The device code that was sent is not known.',
  }),
  ...answer('expired_token', 400, {
    70020: "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  }),
  ...answer('interaction_required', 400, {
    50140: "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
    53000:
      'Device is not in required device state: {state}. Conditional Access policy requires a compliant device, and the device is not compliant.',
  }),
  ...answer('invalid_client', 400, {
    500112: "The reply address '{redirect}' does not match the reply address '{expected}' provided when requesting Authorization code.",
    650053: "The application asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor.",
    // Microsoft has no such number. It stands for a reply that the catalogue does not know.
    9999999: 'Something that Microsoft has not thought of before.',
  }),
  ...answer('invalid_client', 401, {
    7000215:
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'.",
    7000218: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    7000222:
      "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
    700025: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    700027: "Client assertion failed signature validation. [Reason - {reason}] Application: '{client}'.",
  }),
  ...answer('invalid_grant', 400, {
    50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    50055: 'The password is expired.',
    50076:
      "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.",
    50105:
      "Your administrator has configured the application '{client}' to block users unless they are specifically granted ('assigned') access to the application.",
    50126: 'Error validating credentials due to invalid username or password.',
    50134: 'Device flow is cross-datacenter and requests must be made to the same data center.',
    501481: 'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    50173:
      "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{now}'.",
    53003: 'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
    530084: 'Access has been blocked by conditional access token protection policy configured by the organization.',
    530035: 'Access has been blocked by security defaults. This is due to the request being deemed unsafe by security defaults policies.',
    530036: 'The refresh token is invalid due to authentication flow checks by Conditional Access. The token was issued on {issued}.',
    54005: 'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
    65001:
      "The user or administrator has not consented to use the application with ID '{client}'. Send an interactive authorization request for this user and resource.",
    70000:
      "The provided value for the input parameter '{parameter}' is not valid. The provided value is malformed, expired or was not issued by this service.",
    // Two numbers in one text, as older answers have them: the last one is the reason.
    70002: 'Error validating credentials. AADSTS70000: The provided access grant is invalid or malformed.',
    70008:
      'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
    700082: 'The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00.',
    70043: 'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
    80001: 'The Authentication Agent is unable to connect to Active Directory.',
    9002313: 'Invalid request. Request is malformed or invalid.',
  }),
  ...answer('invalid_request', 400, {
    165000: 'The request did not include the required tokens for the user context.',
    50011:
      "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application '{client}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.",
    500113: 'No reply address is registered for the application.',
    50059: 'No tenant-identifying information found in either the request or implied by any provided credentials.',
    50194:
      "Application '{client}'({app}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
    65002:
      "Consent between first party application '{client}' and first party resource '{resource}' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.",
    900023: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    9001023:
      'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
    900144: "The request body must contain the following parameter: '{parameter}'.",
    9002327: "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    9002331:
      "Application '{client}'({app}) is configured for use by Microsoft Account users only. Please use the /consumers endpoint to serve this request.",
    9002332:
      "Application '{client}' is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
    90038: 'Confirmed cross cloud error: the tenant of this account is in another cloud instance.',
    900561: 'The endpoint only accepts POST requests. Received a GET request.',
    900971: 'No reply address provided.',
    901002: "The 'resource' request parameter isn't supported.",
  }),
  ...answer('invalid_resource', 400, {
    500011:
      'The resource principal named {resource} was not found in the tenant named Contoso. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.',
    650052:
      "The app needs access to a service ('Office 365 Exchange Online') that your organization 'Contoso' has not subscribed to or enabled. Contact your IT Admin to review the configuration of your service subscriptions.",
    65006: "Resource '{resource}' had no entitlements matching required permissions 'IMAP.AccessAsUser.All' of the application '{client}'.",
    650057:
      "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration.",
  }),
  ...answer('invalid_scope', 400, {
    1002012:
      'The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
    28000:
      'Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid.',
    70011: "The provided value for the input parameter 'scope' is not valid.",
  }),
  ...answer('invalid_tenant', 400, {
    90002:
      "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
  }),
  ...answer('login_required', 400, {
    50058: 'A silent sign-in request was sent but no user is signed in.',
  }),
  ...answer('temporarily_unavailable', 429, {
    90055: 'There are too many incoming requests. Please try again later.',
  }),
  ...answer('temporarily_unavailable', 503, {
    90033: 'A transient error has occurred. Please try again.',
  }),
  ...answer('unauthorized_client', 400, {
    7000112: "Application '{client}' is disabled.",
    7000114: "Application '{client}' isn't allowed to make application on-behalf-of calls.",
    700016:
      "Application with identifier '{client}' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    7000229: "The client application '{client}' is missing service principal in the tenant.",
  }),
  ...answer('unsupported_grant_type', 400, {
    70003: "The app requested an unsupported grant type '{grant}'.",
  }),
  ...answer('unsupported_response_type', 400, {
    700054: "The sandbox answers response_type 'code' with response_mode 'query' only.",
  }),
};

export type Aadsts = keyof typeof refusals;

/** Every number that the sandbox can refuse with. */
export const refusalNumbers = Object.keys(refusals).map(Number) as Aadsts[];
export type Blanks = Readonly<Record<string, string>>;

const suberrors: Readonly<Partial<Record<Aadsts, string>>> = {
  50076: 'basic_action',
  50173: 'bad_token',
  530036: 'bad_token',
  65001: 'consent_required',
  70000: 'bad_token',
  70043: 'token_expired',
  700082: 'bad_token',
};

/** Entra refuses: with which number, and the values for the blanks of its sentence. */
export interface Refused {
  readonly kind: 'refused';
  readonly aadsts: Aadsts;
  readonly blanks: Blanks;
}

export const refused = (aadsts: Aadsts, blanks: Blanks = {}): Refused => ({ kind: 'refused', aadsts, blanks });

/** A refusal ready to be sent as JSON, shown on a page, or put on a redirect. */
interface EntraError {
  readonly aadsts: Aadsts;
  readonly status: number;
  readonly error: string;
  /** `AADSTSnnn: sentence Trace ID: … Correlation ID: … Timestamp: …` */
  readonly description: string;
  /** the body of the token endpoint's answer (RFC 6749 section 5.2, with Entra's additions) */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Fills in a refusal. `correlationId` is the client's own `client-request-id` when it sent one. */
export function entraError(
  ctx: Pick<Context, 'clock' | 'random'>,
  login: string,
  aadsts: Aadsts,
  blanks: Blanks = {},
  correlationId: string = ctx.random.uuid(),
): EntraError {
  const { error, status, text } = refusals[aadsts];
  const traceId = ctx.random.uuid();
  const timestamp = entraTime(ctx.clock.now());
  const sentence = text.replace(/\{(\w+)\}/g, (_, name: string) => blanks[name] ?? '');
  const description = `AADSTS${aadsts}: ${sentence} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return {
    aadsts,
    status,
    error,
    description,
    json: {
      error,
      error_description: description,
      error_codes: [...description.matchAll(/AADSTS(\d+)/g)].map(([, number]) => Number(number)),
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `${login}/error?code=${aadsts}`,
      ...defined({ suberror: suberrors[aadsts] }),
    },
  };
}

/** `2026-11-21 23:40:00Z`, as in Entra's errors. */
function entraTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
