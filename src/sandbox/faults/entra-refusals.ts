import { rareRefusals } from './entra-refusals-rare.ts';

/** One refusal of Entra's: its AADSTS number, OAuth error, HTTP status and Microsoft's own sentence with `{blanks}`. */
export interface Refusal {
  readonly error: string;
  readonly status: number;
  readonly text: string;
  readonly suberror?: string;
}

/** Texts as Entra sends them (learn.microsoft.com, reference-error-codes, and replies seen in the wild). */
export const refusals = {
  ...rareRefusals,
  28000: {
    error: 'invalid_scope',
    status: 400,
    text: 'Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid.',
  },
  50011: {
    error: 'invalid_request',
    status: 400,
    text: "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application '{client}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.",
  },
  500112: {
    error: 'invalid_client',
    status: 400,
    text: "The reply address '{redirect}' does not match the reply address '{expected}' provided when requesting Authorization code.",
  },
  500011: {
    error: 'invalid_resource',
    status: 400,
    text: 'The resource principal named {resource} was not found in the tenant named Contoso. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.',
  },
  501481: {
    error: 'invalid_grant',
    status: 400,
    text: 'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  },
  500113: { error: 'invalid_request', status: 400, text: 'No reply address is registered for the application.' },
  50020: {
    error: 'access_denied',
    status: 400,
    text: "User account '{user}' from identity provider '{domain}' does not exist in tenant 'Contoso' and cannot access the application '{client}' in that tenant. The account needs to be added as an external user in the tenant first.",
  },
  50034: {
    error: 'access_denied',
    status: 400,
    text: "The user account '{user}' does not exist in the contoso.example directory. To sign into this application, the account must be added to the directory.",
  },
  50057: { error: 'access_denied', status: 400, text: 'The user account is disabled.' },
  50058: {
    error: 'login_required',
    status: 400,
    text: 'A silent sign-in request was sent but no user is signed in.',
  },
  50059: {
    error: 'invalid_request',
    status: 400,
    text: 'No tenant-identifying information found in either the request or implied by any provided credentials.',
  },
  50076: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'basic_action',
    text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.",
  },
  50126: { error: 'invalid_grant', status: 400, text: 'Error validating credentials due to invalid username or password.' },
  50173: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'bad_token',
    text: "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{now}'.",
  },
  50194: {
    error: 'invalid_request',
    status: 400,
    text: "Application '{client}'({app}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
  },
  53003: {
    error: 'invalid_grant',
    status: 400,
    text: 'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  },
  530035: {
    error: 'invalid_grant',
    status: 400,
    text: 'Access has been blocked by security defaults. This is due to the request being deemed unsafe by security defaults policies.',
  },
  530036: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'bad_token',
    text: 'The refresh token is invalid due to authentication flow checks by Conditional Access. The token was issued on {issued}.',
  },
  54005: {
    error: 'invalid_grant',
    status: 400,
    text: 'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  },
  65001: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'consent_required',
    text: "The user or administrator has not consented to use the application with ID '{client}'. Send an interactive authorization request for this user and resource.",
  },
  65002: {
    error: 'invalid_request',
    status: 400,
    text: "Consent between first party application '{client}' and first party resource '{resource}' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.",
  },
  65004: { error: 'access_denied', status: 400, text: 'User declined to consent to access the app.' },
  650052: {
    error: 'invalid_resource',
    status: 400,
    text: "The app needs access to a service ('Office 365 Exchange Online') that your organization 'Contoso' has not subscribed to or enabled. Contact your IT Admin to review the configuration of your service subscriptions.",
  },
  650053: {
    error: 'invalid_client',
    status: 400,
    text: "The application asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor.",
  },
  70000: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'bad_token',
    text: "The provided value for the input parameter '{parameter}' is not valid. The provided value is malformed, expired or was not issued by this service.",
  },
  70003: { error: 'unsupported_grant_type', status: 400, text: "The app requested an unsupported grant type '{grant}'." },
  70008: {
    error: 'invalid_grant',
    status: 400,
    text: 'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  },
  700016: {
    error: 'unauthorized_client',
    status: 400,
    text: "Application with identifier '{client}' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
  },
  70016: {
    error: 'authorization_pending',
    status: 400,
    text: 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  },
  70018: { error: 'bad_verification_code', status: 400, text: 'Bad verification code. The device code that was sent is not known.' },
  70020: {
    error: 'expired_token',
    status: 400,
    text: "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  },
  700025: {
    error: 'invalid_client',
    status: 401,
    text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
  },
  700027: {
    error: 'invalid_client',
    status: 401,
    text: "Client assertion failed signature validation. [Reason - {reason}] Application: '{client}'.",
  },
  700054: {
    error: 'unsupported_response_type',
    status: 400,
    text: "The sandbox answers response_type 'code' with response_mode 'query' only.",
  },
  700082: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'bad_token',
    text: 'The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00.',
  },
  7000215: {
    error: 'invalid_client',
    status: 401,
    text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'.",
  },
  7000218: {
    error: 'invalid_client',
    status: 401,
    text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  7000222: {
    error: 'invalid_client',
    status: 401,
    text: "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
  },
  90002: {
    error: 'invalid_tenant',
    status: 400,
    text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
  },
  900023: {
    error: 'invalid_request',
    status: 400,
    text: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
  },
  90033: { error: 'temporarily_unavailable', status: 503, text: 'A transient error has occurred. Please try again.' },
  90055: { error: 'temporarily_unavailable', status: 429, text: 'There are too many incoming requests. Please try again later.' },
  90094: {
    error: 'access_denied',
    status: 400,
    text: 'Admin consent is required for the permissions requested by this application. An admin must grant them before you can use it.',
  },
  900971: { error: 'invalid_request', status: 400, text: 'No reply address provided.' },
  9001023: {
    error: 'invalid_request',
    status: 400,
    text: 'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
  },
  900144: {
    error: 'invalid_request',
    status: 400,
    text: "The request body must contain the following parameter: '{parameter}'.",
  },
  9002331: {
    error: 'invalid_request',
    status: 400,
    text: "Application '{client}'({app}) is configured for use by Microsoft Account users only. Please use the /consumers endpoint to serve this request.",
  },
  9002313: { error: 'invalid_grant', status: 400, text: 'Invalid request. Request is malformed or invalid.' },
  1002012: {
    error: 'invalid_scope',
    status: 400,
    text: 'The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  },
} as const satisfies Record<number, Refusal>;
