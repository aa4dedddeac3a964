import type { Fault } from './fault.ts';

/** One answer of InvokeCommand. `on`: the cmdlets that get it; left out, all. */
export interface ExchangeRefusalFault extends Fault {
  readonly on?: RegExp;
  readonly status: number;
  /** the exception and the words of Exchange; left out, the body is `text` */
  readonly error?: { readonly code: string; readonly exception: string; readonly message: string };
  readonly text?: string;
  /** seconds */
  readonly retryAfter?: number;
}

/** Faults that give the same answer every time. */
export const exchangeRefusals = [
  {
    name: 'exchange-token-refused',
    sees: 'exchange-token-refused',
    what: 'Exchange answers 401: the token is not accepted',
    status: 401,
    text: '',
  },
  {
    name: 'exchange-not-admin',
    sees: 'exchange-role-missing',
    what: 'Exchange answers 403: the person has no role there',
    status: 403,
    text: '',
  },
  {
    name: 'exchange-cmdlet-forbidden',
    sees: 'exchange-cmdlet-forbidden',
    what: "the person's role does not hold the cmdlets that change something: User is not allowed to call",
    on: /^(?:Set|Add|New)-/,
    status: 403,
    error: {
      code: 'Forbidden',
      exception: 'Microsoft.Exchange.Management.RbacException',
      message: 'User is not allowed to call this cmdlet.',
    },
  },
  {
    name: 'exchange-not-found',
    sees: 'exchange-not-found',
    what: 'Exchange does not know the mailbox (ManagementObjectNotFoundException)',
    on: /^Get-(?:CAS)?Mailbox$/,
    status: 404,
    error: {
      code: 'NotFound',
      exception: 'Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException',
      message: "The operation couldn't be performed because object 'box' couldn't be found on 'SANDBOX.PROD.OUTLOOK.COM'.",
    },
  },
  {
    name: 'exchange-ambiguous',
    sees: 'exchange-ambiguous',
    what: 'several mailboxes fit (ManagementObjectAmbiguousException)',
    on: /^Get-(?:CAS)?Mailbox$/,
    status: 400,
    error: {
      code: 'BadRequest',
      exception: 'Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException',
      message: "The operation couldn't be performed because 'box' matches multiple entries.",
    },
  },
  {
    name: 'exchange-refused',
    sees: 'exchange-refused',
    what: 'Exchange refuses the change for a reason that mailauth does not know',
    on: /^(?:Set|Add|New)-/,
    status: 400,
    error: {
      code: 'BadRequest',
      exception: 'Microsoft.Exchange.Data.DataValidationException',
      message: 'The mailbox plan of this subscription does not allow it.',
    },
  },
  {
    name: 'exchange-busy',
    sees: 'exchange-busy',
    what: 'Exchange answers 429 and asks for a pause of ten minutes',
    status: 429,
    error: { code: 'TooManyRequests', exception: 'Microsoft.Exchange.ThrottlingException', message: 'The request was throttled.' },
    retryAfter: 600,
  },
  {
    name: 'exchange-outage',
    sees: 'exchange-busy',
    what: 'Exchange answers 503 with a page, again and again',
    status: 503,
    text: '<html>Service Unavailable</html>',
  },
  {
    name: 'exchange-page',
    sees: 'exchange-unreadable',
    what: 'Exchange answers with a web page, as a proxy does',
    status: 200,
    text: '<html>Please sign in.</html>',
  },
  {
    name: 'exchange-foreign-page',
    sees: 'exchange-unreadable',
    what: 'the next page of an answer is said to be on another server',
    status: 200,
    text: '{"value":[],"@odata.nextLink":"https://elsewhere.example/adminapi/beta/x/InvokeCommand?$skiptoken=1"}',
  },
  {
    name: 'exchange-unknown-shape',
    sees: 'exchange-unreadable',
    what: 'Exchange answers with fields of other names and kinds than it does today',
    on: /^Get-/,
    status: 200,
    text: '{"value":[{"ImapEnabled":"perhaps","Mailbox":{}}]}',
  },
  {
    name: 'exchange-half-done',
    sees: 'exchange-unreadable',
    what: 'Exchange takes the first changes, and answers with a web page when SMTP AUTH is switched',
    on: /^Set-CASMailbox SmtpClientAuthenticationDisabled/,
    status: 200,
    text: '<html>Please sign in.</html>',
  },
] as const satisfies readonly ExchangeRefusalFault[];

/** Faults that have rules of their own in `src/sandbox/exchange`. */
export const exchangeFaults = [
  { name: 'exchange-throttled', what: 'Exchange answers the first two calls of a command with 429 and Retry-After: 1' },
  { name: 'exchange-lag', sees: 'exchange-not-seen', what: 'Exchange takes a change and goes on showing what was there before' },
  {
    name: 'exchange-switched-off',
    sees: 'exchange-not-ready',
    what: 'IMAP and POP are off for the mailbox, and SMTP AUTH is off for the organisation, until the mailbox has switches of its own',
  },
  { name: 'exchange-not-customized', what: 'a fresh organisation: the first management scope needs Enable-OrganizationCustomization' },
  {
    name: 'exchange-customization',
    sees: 'exchange-customization',
    what: 'a fresh organisation that is not ready after Enable-OrganizationCustomization, either',
  },
] as const satisfies readonly Fault[];
