import { Exit } from '../../../core/errors.ts';
import { adminConsentLink, appPage } from '../../../core/links.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login, setup } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

/** AADSTS numbers that mailauth's own sign-in seldom meets: other programs, device codes, certificates, guests of a partner. */
export const elsewhereEntries = {
  'device-code-pending': words({
    exit: Exit.needsSignIn,
    source: sources.deviceCode,
    aadsts: [70016],
    hints: ['authorization_pending'],
    title: () => 'Nobody has typed in the device code yet',
    why: () => 'The program asks again every few seconds until somebody signs in; this is not an error yet.',
    next: () => ['Open https://microsoft.com/devicelogin and type in the code that the program shows.'],
    retryHelps: true,
  }),
  'device-code-elsewhere': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    aadsts: [50134],
    title: () => 'The device code was entered in another part of the world than it was asked for',
    why: () => 'Program and browser reach different data centres, mostly because one of them uses a VPN.',
    next: (v) => [login(v), 'With another program, start again, with both in the same network.'],
  }),
  'response-type-disabled': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ["response_type 'id_token' is not enabled", "response_type 'token' is not enabled"],
    aadsts: [700054, 700051],
    title: () => 'The program asks for an ID token that the registration does not give out',
    why: () => 'Older programs (the older osTicket plug-in, too) need the implicit grant of ID tokens.',
    next: (v) => [
      `Tick "ID tokens" under Authentication: ${appPage(v, 'Authentication')}`,
      'Better: use a version of the program with the code flow.',
    ],
    retryHelps: false,
  }),
  'endpoint-v1': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ["'resource' request parameter is not supported"],
    aadsts: [901002, 90027],
    title: () => 'The program mixes old (v1) and new (v2) sign-in addresses',
    why: () => 'Mail permissions need both addresses of the v2 kind: …/oauth2/v2.0/authorize and …/oauth2/v2.0/token.',
    next: (v) => [setup(v), 'In the product, put /v2.0/ into the authorization and the token endpoint.'],
    retryHelps: false,
  }),
  'endpoint-wants-post': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['endpoint only accepts POST requests'],
    aadsts: [900561, 90056],
    title: () => 'The token address was opened as if it were a page',
    why: () => 'Only programs send to it. The authorization and token endpoints were swapped, or the Back button was used.',
    next: (v) => [login(v), 'In the product, compare the two endpoints with the sheet, then sign in again.'],
  }),
  'browser-click': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    says: ['Are you trying to sign in to'],
    aadsts: [50140, 50199, 9002341],
    title: () => "Microsoft's page waits for a click",
    why: () => 'It asks "Stay signed in?" or "Are you trying to sign in to…?"; in a log, this line is not an error.',
    next: (v) => [login(v), 'Press Yes or Continue on that page.'],
  }),
  'certificate-refused': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: [
      'used to sign the client assertion is not registered',
      'Client assertion failed signature validation',
      'JWT token failed signature validation',
    ],
    aadsts: [700027, 700030, 50012, 50048, 50027, 50032, 50099, 900384, 700021],
    title: () => 'Microsoft does not accept the certificate, or what was signed with it',
    why: (v) => (v.said === '' ? 'It is not on the app, has expired, or the clock of the computer is wrong.' : `Microsoft says: ${v.said}`),
    next: (v) => [
      `Compare ${v.certificate === undefined ? 'the thumbprint' : `Thumbprint ${v.certificate.sha1} (SHA-1)`} under Certificates & secrets: ${appPage(v, 'Credentials')}`,
      ...(v.certificate === undefined ? [] : [`Where a program shows SHA-256, it is ${v.certificate.sha256}`]),
      'Check the date and time of this computer.',
    ],
  }),
  'grant-not-offered': words({
    exit: Exit.failed,
    source: sources.aadsts,
    aadsts: [7000113, 7000114, 240002],
    title: () => 'This application is not allowed to exchange one token for another (on behalf of a user)',
    why: () => 'Mail programs do not need that: their user signs in.',
    next: (v) => [login(v), 'In the product, choose the authorization code flow.'],
    retryHelps: false,
  }),
  'app-not-in-tenant': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    says: ['is missing service principal in the tenant'],
    aadsts: [7000229, 90099],
    title: (v) => `Nobody has let the application ${v.clientId} into the tenant ${v.tenant} yet`,
    why: () => 'It has no enterprise app in that tenant. Entra makes one when an administrator consents.',
    next: (v) => [login(v), 'That works once an administrator has consented.'],
    admin: (v) => `open as administrator and accept: ${adminConsentLink(v)}`,
    retryHelps: false,
  }),
  'password-agent': words({
    exit: Exit.temporary,
    source: sources.aadsts,
    aadsts: [80001, 80002, 80003, 80004, 80005, 80006, 80007, 80008, 80009, 80010, 80011, 80012, 80013, 80014],
    title: () => "The organisation's own directory cannot check the password now",
    why: () => 'An agent on its premises checks passwords. It is off, cannot reach the directory, or its clock is wrong.',
    next: (v) => [login(v), 'Wait some minutes first.'],
    admin: () => 'check the pass-through authentication agents: Entra > Microsoft Entra Connect > Pass-through authentication',
    retryHelps: true,
    mender: 'administrator',
  }),
};
