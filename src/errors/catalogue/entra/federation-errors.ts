import { Exit } from '../../../core/errors.ts';
import { lookUp, signInLogs } from '../../../core/links.ts';
import { noted } from '../../../core/next.ts';
import { sources } from '../../entry/sources.ts';
import { family, login } from './entra-words.ts';

/** AADSTS: what stands behind the sign-in of an organisation: its own sign-in server, its devices, its certificates. */
export const federationEntries = {
  'federation-failed': family(
    {
      20001: 'The sign-in server of the organisation answered wrongly.',
      20012: 'A message of the sign-in server of the organisation is not valid.',
      20033: 'The metadata of the sign-in server of the organisation name a wrong tenant.',
      40015: "The account's identity provider refused its own sign-in code.",
      50006: 'A signature of the sign-in server of the organisation did not verify.',
      50008: 'The SAML assertion of the sign-in server of the organisation is missing or wrong.',
      50107: 'The sign-in server (federation realm) that is named does not exist.',
      50169: 'The realm of the sign-in server is not configured.',
      90086: 'The token of the organisation’s sign-in server has run out.',
      90123: "The account's identity provider refused a token.",
      5000819: 'The assertion of the sign-in server lacks an e-mail address of the right domain.',
    },
    {
      exit: Exit.notAllowed,
      source: 'https://learn.microsoft.com/entra/identity/hybrid/connect/whatis-fed',
      title: () => "The organisation's own sign-in server (federation) and Microsoft do not understand each other",
      next: (v) => [noted(login(v), 'once the sign-in server works again')],
      admin: () => 'check the federation of the domain (AD FS or another identity provider): its certificates, its metadata, its reach.',
    },
  ),
  'desktop-sso-failed': family(
    {
      50180: 'Windows sign-in was expected and did not come.',
      81004: 'Kerberos failed for this person.',
      81005: 'The browser sent something else than Kerberos.',
      81006: 'The browser sent no Kerberos ticket.',
      81007: 'It is not enabled in the tenant.',
      81009: 'The Kerberos ticket cannot be read.',
      81010: 'The Kerberos ticket has expired or is not valid.',
      81011: 'No user belongs to this Kerberos ticket.',
      81012: 'Another person is signed in to the computer than the one that was chosen.',
    },
    {
      exit: Exit.needsSignIn,
      source: 'https://learn.microsoft.com/entra/identity/hybrid/connect/tshoot-connect-sso',
      title: () => 'The automatic sign-in of the computer (seamless single sign-on) did not work',
      next: (v) => [noted(login(v), 'in a private window, where the page asks for the password')],
      admin: () => 'check seamless single sign-on: Entra > Microsoft Entra Connect > Connect Sync.',
    },
  ),
  'device-key-refused': family(
    {
      17003: "Microsoft could not make the device's key.",
      130004: 'The person has no Windows Hello key.',
      130005: 'The signature of Windows Hello is not valid.',
      130006: 'The Windows Hello key is missing on the device.',
      130007: 'The device is disabled.',
      130008: 'The device of the Windows Hello key is not known.',
      135010: 'The key of Windows Hello or of the device was not found.',
    },
    {
      exit: Exit.needsSignIn,
      source: sources.aadsts,
      title: () => 'Microsoft does not accept the key of this device (Windows Hello)',
      next: (v) => [noted(login(v), 'and choose another way to sign in on the page: a password or the Authenticator app')],
      admin: () => 'look at the device under Entra > Devices: it may be disabled, deleted or registered twice.',
    },
  ),
  'user-certificate-refused': family(
    {
      50017: 'Its issuer or its revocation list could not be checked.',
      50192: 'No certificate came with the request: a proxy that opens TLS takes it away.',
      220501: 'The revocation list of its issuer could not be fetched.',
    },
    {
      exit: Exit.notAllowed,
      source: 'https://learn.microsoft.com/entra/identity/authentication/concept-certificate-based-authentication',
      title: () => 'Microsoft could not check the certificate that the person signs in with',
      next: (v) => [noted(login(v), 'with another way to sign in, or once the certificate can be checked')],
      admin: () => 'check the issuers and revocation lists under Entra > Protection > Certificate authorities.',
    },
  ),
  'federated-credential-mismatch': family(
    {
      70021: 'No federated credential of the app fits the token that was presented.',
      700211: 'The issuer of the token is not one of the federated credentials of the app.',
      700212: 'The audience of the token is not one of the federated credentials of the app.',
      700213: 'The subject of the token is not one of the federated credentials of the app. Upper and lower case count.',
      700229: 'Only app-only tokens can be federated credentials.',
    },
    {
      exit: Exit.failed,
      source: 'https://learn.microsoft.com/entra/workload-id/workload-identity-federation',
      says: ['No matching federated identity record found'],
      title: () => 'No federated credential of the app fits the token that the program presents',
      next: (v) => [
        'Compare issuer, subject and audience of the token with App registrations > your app > Certificates & secrets > Federated credentials.',
        ...(v.aadsts === undefined ? [] : [`what Microsoft says about it: ${lookUp(v.aadsts)}`]),
      ],
      retryHelps: false,
    },
  ),
  'assertion-clock': family(
    {
      700024: 'The signed assertion is outside its time.',
      500133: 'The signed assertion is outside its time.',
      50013: 'The signed assertion is malformed, outside its time, or from a wrong issuer.',
    },
    {
      exit: Exit.failed,
      source: 'https://learn.microsoft.com/entra/identity-platform/certificate-credentials',
      says: [
        'Cannot handle token … prior to',
        'token is not yet valid',
        'ImmatureSignatureError',
        'issued in the future',
        'Token used before issued',
        'Client assertion is not within its valid time range',

        'Invalid id_token … token prior to',
        'token used too early',
      ],
      otherwise: 'The time in the token and the time of the computer do not fit.',
      title: () => 'The clock of the computer is wrong, or a signed token was used outside its time',
      next: (v) => ['Set the clock right, and let it follow a time server (timedatectl set-ntp true; on Windows w32tm /resync).', login(v)],
      admin: (v) => `the sign-in log shows the time that Microsoft saw: ${signInLogs(v)}`,
    },
  ),
};
