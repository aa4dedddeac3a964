import { type Protocol, scriptNames } from '../../core/cloud.ts';
import { isGuid } from '../../core/text.ts';
import { comparableTenant, fileNames, type HandoffRequest } from './handoff-request.ts';
import { quoteAsciiPowerShell } from './script-quoting.ts';

const fields: Readonly<Record<Protocol, string>> = {
  imap: 'ImapEnabled',
  pop: 'PopEnabled',
  smtp: 'SmtpClientAuthenticationDisabled',
};

/** SMTP: a mailbox without a setting of its own (`$null`) follows the organisation, where SMTP AUTH is off since 2020; `$false` is on. */
const switches: Readonly<Record<Protocol, string>> = {
  imap: 'if (-not $box.ImapEnabled) { Set-CASMailbox -Identity $mailbox -ImapEnabled $true }',
  pop: 'if (-not $box.PopEnabled) { Set-CASMailbox -Identity $mailbox -PopEnabled $true }',
  smtp: 'if ($box.SmtpClientAuthenticationDisabled -ne $false) { Set-CASMailbox -Identity $mailbox -SmtpClientAuthenticationDisabled $false }',
};

/** What the administrator of Exchange Online is asked to change for one set-up. */
export interface ExchangeRequest extends Pick<HandoffRequest, 'mailbox' | 'signInAs' | 'tenantId' | 'cloud'> {
  readonly protocols: readonly Protocol[];
  /** it acts for itself; its two IDs, where the app is registered already */
  readonly app?: { readonly clientId?: string; readonly objectId?: string };
}

/** What the mailbox itself must allow for the protocols. Sources: Set-CASMailbox, Add-MailboxPermission, Add-RecipientPermission. */
export function exchangeOnlineScript(request: ExchangeRequest): string {
  const { mailbox, signInAs, cloud, protocols, app } = request;
  const ids = app === undefined ? undefined : parametersOf(app);
  const tenant = comparableTenant(request);
  const environment = scriptNames(cloud)?.exchangePowerShell;
  const shared = signInAs !== undefined && signInAs !== mailbox ? signInAs : undefined;
  return `\
# Switches on what a mailbox needs for IMAP, POP and SMTP, with Exchange Online PowerShell.
#
#   Install-Module ExchangeOnlineManagement -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File ${fileNames.exchange}${ids?.arguments ?? ''}
#
# You need the role Exchange Administrator. You can run this script twice: it changes only what differs, and shows the state before
# and after. A change takes effect after some minutes, at most after about an hour. This file contains no secret. Written by mailauth.
[CmdletBinding()]
${ids?.block ?? 'param()'}
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$mailbox = ${quoteAsciiPowerShell(mailbox)}
${shared === undefined ? '' : `$signInAs = ${quoteAsciiPowerShell(shared)}\n`}
if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) {
    throw 'Exchange Online PowerShell is not installed: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
}
Import-Module ExchangeOnlineManagement
Connect-ExchangeOnline${environment === undefined ? '' : ` -ExchangeEnvironmentName ${environment}`} -ShowBanner:$false
try {
${indented([...(tenant === undefined ? [] : [rightTenant(tenant)]), oneMailbox, state('Before:', protocols, shared), ...(app === undefined ? [] : [letAppIn(protocols)]), changes(protocols, shared), state('After:', protocols, shared)])}
}
finally {
    Disconnect-ExchangeOnline -Confirm:$false
}
`;
}

/** Both IDs are known only when the app is registered: until then the administrator gives them. */
function parametersOf({ clientId = '', objectId = '' }: NonNullable<ExchangeRequest['app']>): {
  readonly arguments: string;
  readonly block: string;
} {
  const areKnown = isGuid(clientId) && isGuid(objectId);
  const one = (name: string, id: string) =>
    areKnown ? `[guid] $${name} = ${quoteAsciiPowerShell(id.toLowerCase())}` : `[Parameter(Mandatory = $true)] [guid] $${name}`;
  const block = `\
param(
    # Application (client) ID
    ${one('ClientId', clientId)},
    # Entra ID > Enterprise apps > the app > Object ID. The Object ID under App registrations is another one: with it every sign-in fails.
    ${one('EnterpriseObjectId', objectId)}
)`;
  return { arguments: areKnown ? '' : ' -ClientId GUID -EnterpriseObjectId GUID', block };
}

/** Makes the app known to Exchange Online and gives it rights on this one mailbox. */
function letAppIn(protocols: readonly Protocol[]): string {
  return [
    '$app = "$EnterpriseObjectId"',
    'if (@(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq "$ClientId" }).Count -eq 0) {',
    '    $null = New-ServicePrincipal -AppId "$ClientId" -ObjectId $app -DisplayName mailauth',
    '}',
    ...rightsOf('$app', protocols),
  ].join('\n');
}

/** Full Access, and Send As where it sends, for whoever this variable names: only what is missing. */
const rightsOf = (who: '$app' | '$signInAs', protocols: readonly Protocol[]): readonly string[] => [
  `$full = @(Get-MailboxPermission -Identity $mailbox -User ${who} | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and "$($_.Deny)" -ne 'True' })`,
  `if ($full.Count -eq 0) { $null = Add-MailboxPermission -Identity $mailbox -User ${who} -AccessRights FullAccess -AutoMapping $false }`,
  ...(protocols.includes('smtp')
    ? [
        `$sendAs = @(Get-RecipientPermission -Identity $mailbox -Trustee ${who} | Where-Object { "$($_.AccessRights)" -match 'SendAs' })`,
        `if ($sendAs.Count -eq 0) { $null = Add-RecipientPermission -Identity $mailbox -Trustee ${who} -AccessRights SendAs -Confirm:$false }`,
      ]
    : []),
];

const rightTenant = (tenant: string): string => `\
if (@(Get-ConnectionInformation | Where-Object { "$($_.TenantID)" -eq '${tenant}' }).Count -eq 0) { throw 'You are signed in to another tenant than ${tenant}.' }`;

const oneMailbox = `\
$found = @(Get-CASMailbox -Identity $mailbox)
if ($found.Count -ne 1) { throw "Exchange Online has $($found.Count) mailboxes for $mailbox, and exactly one is needed" }
$box = $found[0]`;

function state(title: string, protocols: readonly Protocol[], shared: string | undefined): string {
  const sharedLines =
    shared === undefined
      ? []
      : [
          "Get-MailboxPermission -Identity $mailbox -User $signInAs | Format-List -Property 'User', 'AccessRights', 'Deny' | Out-Host",
          ...(protocols.includes('smtp')
            ? ["Get-RecipientPermission -Identity $mailbox -Trustee $signInAs | Format-List -Property 'Trustee', 'AccessRights' | Out-Host"]
            : []),
        ];
  return [
    `Write-Host '${title}'`,
    `Get-CASMailbox -Identity $mailbox | Format-List -Property ${protocols.map((one) => `'${fields[one]}'`).join(', ')} | Out-Host`,
    ...sharedLines,
  ].join('\n');
}

function changes(protocols: readonly Protocol[], shared: string | undefined): string {
  const sharedLines =
    shared === undefined
      ? []
      : ['# The licensed user who signs in needs rights on the shared mailbox.', ...rightsOf('$signInAs', protocols)];
  return [...protocols.map((one) => switches[one]), ...sharedLines].join('\n');
}

const indented = (blocks: readonly string[]): string =>
  blocks
    .join('\n\n')
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
