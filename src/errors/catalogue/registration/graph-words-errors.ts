import { Exit } from '../../../core/errors.ts';
import { line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** In another program the step is repeated there, and a set-up of mailauth goes on. */
const again = (remark: string): readonly NextStep[] => [
  noted(mailauth('setup', { resume: true }), remark),
  'In another program: do the step again.',
];

/** Sentences of Microsoft Graph (and of az, Terraform and CIPP, which print them) about objects, keys and tokens. */
export const graphWordEntries = {
  'principal-locked': entry({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/entra/identity-platform/howto-configure-app-instance-property-locks',
    codes: ['CannotUpdateLockedServicePrincipalProperty'],
    says: ['Property … on the service principal is locked', 'property is locked', 'app instance property lock'],
    title: () => 'This property of the service principal is locked by its app registration',
    why: () => 'Secrets and certificates belong on the application object (App registrations), and not on its enterprise application.',
    next: () => [
      'Add the secret under App registrations > the app > Certificates & secrets, or call /applications/{id}/addPassword.',
      'To unlock it: App registrations > the app > Authentication > Settings > App instance property lock.',
    ],
    retryHelps: false,
  }),
  'permission-granted-already': entry({
    exit: Exit.failed,
    source: sources.graph,
    says: [
      'Permission being assigned already exists',
      'Permission entry already exists',
      'EntitlementGrant entry already exists',
      'Permission … already exists on the object',
    ],
    title: () => 'The permission was granted already, so nothing more is to be done for it',
    why: () => 'The grant that was asked for exists.',
    next: () => again('goes on; a grant that exists is taken as it is'),
  }),
  'object-exists-already': entry({
    exit: Exit.failed,
    source: sources.graph,
    codes: ['ObjectConflict', 'Request_MultipleObjectsWithSameKeyValue'],
    says: [
      'Another object with the same value for property',
      'conflicting object',
      'already exists in the directory',
      'service principal … already in use',
      'cannot be created because the service principal name',
    ],
    title: () => 'Another object in the tenant has this value already',
    why: () => 'The same application id, identifier URI or name is in use, also by a deleted application for 30 days.',
    next: () => [
      'Use the object that exists, give the new one another value, or delete the old one: Entra > App registrations > All, and Deleted applications.',
      noted(mailauth('setup', { resume: true }), 'goes on with a set-up'),
    ],
    retryHelps: false,
  }),
  'graph-token-malformed': entry({
    exit: Exit.failed,
    source: sources.graph,
    codes: ['IDX14*', 'IDX127*', 'CompactToken*'],
    says: [
      'Unable to decode the header',
      'not a valid JWT',
      'invalid token format',
      'Invalid header',
      'CompactToken parsing failed',
      'JWT is not well formed',
      'there are no dots',
      'Access token is empty',
      'token is malformed',
      'Bearer token is missing',
      'token could not be parsed',
    ],
    title: () => 'What was sent to Microsoft Graph is not a whole access token',
    why: () =>
      'It is empty, was cut, holds a line break or quotes, or is no token that Graph can read (a refresh token, a code, an opaque token).',
    next: () => [
      noted(line`az account get-access-token --resource-type ms-graph`, 'gives a whole one'),
      'Copy the whole value of accessToken, without quotes.',
    ],
    retryHelps: false,
  }),
  'graph-token-audience': entry({
    exit: Exit.failed,
    source: sources.graph,
    says: ['Access token validation failure. Invalid audience', 'Invalid audience', 'audience is invalid', 'audience validation failed'],
    title: () => 'The token was made for another service than the one that got it (audience)',
    why: () => 'A token for mail does not open Microsoft Graph, and one for Graph does not open mail.',
    next: () => [
      noted(line`az account get-access-token --resource-type ms-graph`, 'gives one for Graph'),
      noted(mailauth('token show'), 'shows for which service the token of a mailbox is'),
    ],
    retryHelps: false,
  }),
  'graph-identity-disabled': entry({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['Authorization_IdentityDisabled', 'Authorization_IdentityNotFound'],
    says: [
      'identity of the calling application is disabled',
      'identity of the calling application could not be established',
      'calling identity … disabled',
    ],
    title: () => 'The application or account that calls is disabled or unknown in this tenant',
    why: () => 'An administrator or Microsoft switched it off, or its enterprise application (service principal) does not exist here.',
    next: () => again('goes on once it is enabled'),
    admin: () => 'look under Entra > Enterprise apps whether it exists and "Enabled for users to sign in?" says Yes.',
    retryHelps: false,
  }),
  'graph-guest': entry({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/entra/identity/users/users-restrict-guest-permissions',
    says: ['Guests are not allowed to perform the action', 'guest users are not allowed', 'guest … not allowed to'],
    title: () => 'The account is a guest in this tenant, and guests are not allowed to do this',
    why: () => 'An account of the organisation itself has to do it, or an administrator allows guests (external users) more.',
    next: () => again('goes on with an account of the tenant'),
    admin: () => 'let a member account do it, or see Entra > External Identities > External collaboration settings.',
    retryHelps: false,
  }),
  'permission-not-offered': entry({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/graph/permissions-reference',
    says: [
      'Permission being assigned was not found on application',
      'Permission … was not found on',
      'does not contain … permission id',
      'resource does not expose … permission',
    ],
    title: () => 'The resource does not know a permission with this id',
    why: () => 'The id is wrong or belongs to another resource: those of Microsoft Graph do not exist at Exchange Online, nor the reverse.',
    next: () => [
      'Choose the permission by its name under the right resource: App registrations > the app > API permissions > Add.',
      ...again('finds the ids by itself'),
    ],
    retryHelps: false,
  }),
  'graph-denied': entry({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['ErrorAccessDenied', 'Authorization_AccessDenied'],
    says: ['Access is denied. Check credentials'],
    hints: ['code: AccessDenied'],
    title: () => 'Microsoft refuses this to the account or the app, and does not say why',
    why: () => 'A right or a permission is missing, or a Conditional Access policy forbids it from here.',
    next: () => again('goes on with an account that is allowed to'),
    admin: () => 'see the sign-in log and the audit log of the account at that time: Entra > Monitoring & health.',
  }),
  'graph-silent': entry({
    exit: Exit.temporary,
    source: sources.graph,
    codes: ['UnknownError'],
    title: () => 'Microsoft Graph failed without saying why',
    why: () => 'It gave a code and no sentence. Mostly it works when it is tried again a little later.',
    next: () => again('goes on, in some minutes'),
    retryHelps: true,
  }),
  'credential-gone': entry({
    exit: Exit.failed,
    source: sources.graph,
    says: ['No password credential found with keyId', 'No key credential found', 'Update to existing credential with KeyId'],
    title: () => 'The secret or certificate with this id is not on the application as it was expected',
    why: () => 'It was removed or changed already, or Microsoft has not yet spread a change that was just made.',
    next: () => ['Look at App registrations > the app > Certificates & secrets, and wait a minute after a change.', ...again('goes on')],
  }),
};
