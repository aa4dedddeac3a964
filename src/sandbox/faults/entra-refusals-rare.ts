/** Refusals that no rule of the sandbox leads to: it gives them when a fault asks for them. Their texts come from the same pages. */
export const rareRefusals = {
  50053: {
    error: 'invalid_grant',
    status: 400,
    text: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
  },
  50055: { error: 'invalid_grant', status: 400, text: 'The password is expired.' },
  50105: {
    error: 'invalid_grant',
    status: 400,
    text: "Your administrator has configured the application '{client}' to block users unless they are specifically granted ('assigned') access to the application.",
  },
  50134: {
    error: 'invalid_grant',
    status: 400,
    text: 'Device flow is cross-datacenter and requests must be made to the same data center.',
  },
  50140: {
    error: 'interaction_required',
    status: 400,
    text: "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
  },
  53000: {
    error: 'interaction_required',
    status: 400,
    text: 'Device is not in required device state: {state}. Conditional Access policy requires a compliant device, and the device is not compliant.',
  },
  70011: { error: 'invalid_scope', status: 400, text: "The provided value for the input parameter 'scope' is not valid." },
  70043: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'token_expired',
    text: 'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
  },
  80001: {
    error: 'invalid_grant',
    status: 400,
    text: 'The Authentication Agent is unable to connect to Active Directory.',
  },
  90038: {
    error: 'invalid_request',
    status: 400,
    text: 'Confirmed cross cloud error: the tenant of this account is in another cloud instance.',
  },
  165000: { error: 'invalid_request', status: 400, text: 'The request did not include the required tokens for the user context.' },
  650057: {
    error: 'invalid_resource',
    status: 400,
    text: "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration.",
  },
  700027: { error: 'invalid_client', status: 401, text: 'Client assertion failed signature validation.' },
  900561: { error: 'invalid_request', status: 400, text: 'The endpoint only accepts POST requests. Received a GET request.' },
  901002: { error: 'invalid_request', status: 400, text: "The 'resource' request parameter isn't supported." },
  7000112: { error: 'unauthorized_client', status: 400, text: "Application '{client}' is disabled." },
  7000114: {
    error: 'unauthorized_client',
    status: 400,
    text: "Application '{client}' isn't allowed to make application on-behalf-of calls.",
  },
  7000229: {
    error: 'unauthorized_client',
    status: 400,
    text: "The client application '{client}' is missing service principal in the tenant.",
  },
  9002327: {
    error: 'invalid_request',
    status: 400,
    text: "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  },
  9002332: {
    error: 'invalid_request',
    status: 400,
    text: "Application '{client}' is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
  },
  /** no such number: a reply that no catalogue knows */
  9999999: { error: 'invalid_client', status: 400, text: 'Something that Microsoft has not thought of before.' },
} as const;
