import { Exit } from '../../../core/errors.ts';
import { appPage, lookUp } from '../../../core/links.ts';
import { led, mailauth, noted } from '../../../core/next.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, family, login, setup } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

const cut = 'The code or token that the program sent is not whole, or belongs to another app or tenant.';
const pkce = 'The proof key (PKCE) of the second step does not fit the first: the program lost it, or wrote it in another way.';
const malformed = 'A parameter that the program sent has a value that Microsoft does not accept.';

/** AADSTS: what a program asked in a way that Microsoft does not accept. */
export const requestEntries = {
  'request-refused': family(
    {
      ...{
        9002313: cut,
        700005: 'A code or token was redeemed at another tenant than it was made for.',
        70003: 'The grant type that the program named is not known or not allowed.',
      },
      ...{
        70005: 'The response type that the program named is not enabled or not known.',
        70007: 'The response mode that the program named is not known.',
      },
      ...{
        90015: 'The address is too long: too many permissions or claims in one request.',
        900144: 'A parameter is missing in the request.',
      },
      ...{ 90014: 'A field is missing in the request.', 90023: malformed, 90013: malformed, 90100: malformed, 90117: malformed },
      ...{
        90004: 'The request is not properly formed.',
        90005: 'An identifier and a login hint were sent together.',
        90121: 'The request is empty.',
      },
      ...{
        50147: pkce,
        50148: pkce,
        501481: pkce,
        50149: pkce,
        501491: pkce,
        9000410: malformed,
        9000411: 'A parameter stands twice in the request.',
      },
    },
    {
      exit: Exit.failed,
      source: sources.aadsts,
      hints: ['invalid_request', 'unsupported_grant_type', 'unsupported_response_type'],
      saidFirst: true,
      otherwise: 'A parameter of the request is missing, not whole, or of another app.',
      title: () => 'Microsoft does not accept the request as the program sent it',
      next: (v) => [
        login(v, { force: true }),
        'In another program: compare its endpoints, its client ID and its scope with the registration.',
        ...(v.aadsts === undefined ? [] : [`what Microsoft says about it: ${lookUp(v.aadsts)}`]),
      ],
    },
  ),
  'client-not-allowed': words({
    exit: Exit.failed,
    source: sources.oauth,
    hints: ['unauthorized_client'],
    title: () => 'Microsoft does not let this application sign in this way',
    why: (v) =>
      v.said === '' ? 'Its client ID, its account types (audience) or its platform do not fit the request.' : `Microsoft says: ${v.said}`,
    next: (v) => [
      setup(v, { clientId: false }),
      `Compare client ID and "Supported account types" with the portal: ${appPage(v, 'Overview')}`,
    ],
    aadsts: [],
  }),
  'grant-needs-tenant': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['grant type is not supported over the /common or /consumers'],
    title: () => 'This way to get a token needs the address of the tenant, and not /common or /consumers',
    why: () => 'A password, or an app that signs in for itself, belongs to one tenant.',
    next: (v) => [
      setup(v),
      'Name the tenant with --tenant, or in the endpoints of the program: its domain or its id in place of "common".',
    ],
    retryHelps: false,
    aadsts: [9001023],
  }),
  'resource-unknown': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    hints: ['invalid_resource'],
    says: ['resource principal named … was not found in the tenant'],
    title: () => 'Microsoft does not know the resource that was asked for in this tenant',
    why: (v) =>
      v.said === ''
        ? 'The address in the scope is mistyped, the service is not in this tenant, or it is the wrong cloud.'
        : `Microsoft says: ${v.said}`,
    next: (v) => [
      setup(v),
      'Compare the host in the scope: for mail it is https://outlook.office365.com or https://outlook.office.com, for Graph https://graph.microsoft.com.',
      led('Other clouds have other hosts', mailauth('help', 'clouds')),
    ],
    admin: () => 'if the address is right: the service needs a licence in this tenant, and its enterprise app must be enabled.',
    retryHelps: false,
    aadsts: [500011, 50001],
  }),
  'scope-unknown': words({
    exit: Exit.failed,
    source: sources.scopes,
    says: ['asked for scope … that doesn’t exist', "asked for scope … that doesn't exist on the resource"],
    title: () => 'A permission (scope) that was asked for does not exist under this name',
    why: () =>
      'For mail they are spelled IMAP.AccessAsUser.All, POP.AccessAsUser.All and SMTP.Send, each behind https://outlook.office.com/.',
    next: (v) => [setup(v), 'In another program, correct the scope; separate several with blanks.'],
    retryHelps: false,
    aadsts: [650053],
  }),
  'permission-ids-wrong': words({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/graph/permissions-reference',
    says: ['had no entitlements matching required permissions'],
    title: () => 'The registration lists ids of permissions under a resource that does not offer them',
    why: () =>
      'The ids of IMAP, POP and SMTP differ between Microsoft Graph and Office 365 Exchange Online: those of one stand under the other.',
    next: (v) => [
      noted(login(v), 'once the permissions are right'),
      `Remove them under "API permissions" and add them anew: ${appPage(v, 'CallAnAPI')}`,
    ],
    admin: () =>
      'remove the permissions and add IMAP.AccessAsUser.All, POP.AccessAsUser.All, SMTP.Send (delegated) of Microsoft Graph; then grant consent.',
    retryHelps: false,
    aadsts: [65006],
  }),
  'client-loop': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'The program asks for the same token again and again (a loop)',
    why: () => 'Microsoft stops a program that repeats one request too often. Stop it, and find out why it does not keep its token.',
    next: (v) => [login(v), 'Stop the other program for some minutes first.'],
    aadsts: [50196],
  }),
  'tls-too-old': words({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/purview/tls-1.0-and-1.1-deprecation-for-office-365',
    says: ['TLS 1.0 and 1.1 are not supported', 'using TLS version 1.0, 1.1', 'TLS 1.0/1.1 … not supported', 'TLS 1.0 or 1.1'],
    codes: ['4.7.66'],
    title: () => 'The program speaks TLS 1.0 or 1.1, and Microsoft takes only TLS 1.2 or newer',
    why: () => 'The program or its system is too old. The sign-in is not at fault.',
    next: () => [
      'Update the program, its TLS library (OpenSSL, .NET, Java) or the system, and switch TLS 1.2 on in its settings.',
      noted(mailauth('doctor'), 'shows which TLS this computer reaches Microsoft with'),
    ],
    retryHelps: false,
    aadsts: [1002016],
  }),
  'entra-not-mail': family(
    {
      ...{
        16002: 'The session that the app asked for is another one.',
        50007: "A partner's encryption certificate is missing.",
        50010: 'No audience is configured.',
      },
      ...{
        50029: 'A domain name in an address has forbidden characters.',
        50042: 'Data for a pairwise user id are missing.',
        50043: 'Data for a pairwise user id stand twice.',
      },
      ...{
        50050: 'A discovery request is malformed.',
        50061: 'A sign-out request is not valid.',
        50068: 'An app signed out that was not in the session.',
      },
      ...{
        50070: 'A sign-out names an unknown session.',
        50071: 'A sign-out request is too old.',
        50120: "A token's header is not valid.",
      },
      ...{
        50124: 'A claims rule has a wrong parameter.',
        50146: 'The app must have a signing key of its own.',
        51001: 'The domain hint is missing.',
      },
      ...{
        52004: 'No consent for LinkedIn.',
        67003: 'An actor token is not valid.',
        75001: 'A SAML message is not valid.',
        75003: 'A SAML binding is not supported.',
      },
      ...{
        75005: 'A SAML request is not supported.',
        75008: 'A SAML request has an unexpected destination.',
        75011: 'SAML wanted another way to sign in.',
      },
      ...{
        75016: 'A SAML NameIDPolicy is not valid.',
        76021: 'The app wants signed SAML requests.',
        76026: 'A SAML request is too old.',
        750054: 'A SAML message is missing.',
      },
      ...{
        120000: 'Password change: the present password is wrong.',
        120002: 'Password change: the new one is too weak.',
        120003: 'Password change: it contains the name.',
      },
      ...{
        120004: 'Password change: rules of the own directory.',
        120005: 'Password change: done in the own directory only.',
        120008: 'Password change failed.',
      },
      ...{
        120012: 'Password change: do it in the own directory.',
        120013: 'Password change: own directory out of reach.',
        120020: 'Password change failed.',
      },
      ...{
        140000: 'A nonce is missing in the request.',
        240001: 'The person may not register devices.',
        501241: 'A claims rule lacks its input.',
      },
    },
    {
      exit: Exit.failed,
      source: sources.aadsts,
      title: () => 'This number is not about a sign-in for mail (SAML, sign-out, password change or claims rules)',
      next: (v) => [
        'Ask whoever runs the program that showed it.',
        ...(v.aadsts === undefined ? [] : [`what Microsoft says about it: ${lookUp(v.aadsts)}`]),
      ],
    },
  ),
};
