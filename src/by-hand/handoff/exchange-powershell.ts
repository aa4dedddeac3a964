import type { Protocol } from '../../core/cloud.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import { comparableTenant, fileNames, type HandoffRequest, protocolsOf } from './handoff-request.ts';
import { quotePowerShell } from './quoting.ts';

/** Values of `-ExchangeEnvironmentName` (Connect-ExchangeOnline); the public cloud needs none. */
const environments: Readonly<Record<string, string>> = { usgov: 'O365USGovGCCHigh', 'usgov-dod': 'O365USGovDoD', china: 'O365China' };

const fields: Readonly<Record<Protocol, string>> = {
  imap: 'ImapEnabled',
  pop: 'PopEnabled',
  smtp: 'SmtpClientAuthenticationDisabled',
};

/** `$null` of SmtpClientAuthenticationDisabled follows the organisation, where SMTP AUTH is off since 2020: only `$false` is on. */
const switches: Readonly<Record<Protocol, string>> = {
  imap: 'if (-not $box.ImapEnabled) { Set-CASMailbox -Identity $mailbox -ImapEnabled $true }',
  pop: 'if (-not $box.PopEnabled) { Set-CASMailbox -Identity $mailbox -PopEnabled $true }',
  smtp: 'if ($box.SmtpClientAuthenticationDisabled -ne $false) { Set-CASMailbox -Identity $mailbox -SmtpClientAuthenticationDisabled $false }',
};

/** What the mailbox itself must allow, for the planned protocols. Sources: Set-CASMailbox, Add-MailboxPermission, Add-RecipientPermission. */
export function exchangeOnlineScript(request: HandoffRequest): string {
  const { mailbox, signInAs, cloud, plan } = request;
  const protocols = protocolsOf(plan);
  const tenant = comparableTenant(request);
  const environment = environments[cloud.name];
  const shared = signInAs !== undefined && signInAs !== mailbox ? signInAs : undefined;
  return `\
# Switches on what a mailbox needs for the mail protocols, with Exchange Online PowerShell.
#
#   Install-Module ExchangeOnlineManagement -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File ${fileNames.exchange}${plan.appRoles === undefined ? '' : ' -ClientId GUID -EnterpriseObjectId GUID'}
#
# It takes the role Exchange Administrator. Safe to run twice: it changes only what differs, and shows the state before and after.
# Exchange Online acts on a change after some minutes, seldom an hour. No secret is in this file. Written by mailauth.
[CmdletBinding()]
${parameters(plan)}
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$mailbox = ${quotePowerShell(mailbox)}
${shared === undefined ? '' : `$signInAs = ${quotePowerShell(shared)}\n`}
if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) {
    throw 'Exchange Online PowerShell is not installed: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
}
Import-Module ExchangeOnlineManagement
Connect-ExchangeOnline${environment === undefined ? '' : ` -ExchangeEnvironmentName ${environment}`} -ShowBanner:$false
try {
${indented([...(tenant === undefined ? [] : [rightTenant(tenant)]), oneMailbox, state('Before:', protocols, shared), ...(plan.appRoles === undefined ? [] : [letAppIn(protocols)]), changes(protocols, shared), state('After:', protocols, shared)])}
}
finally {
    Disconnect-ExchangeOnline -Confirm:$false
}
`;
}

/** Both are known only when the app is registered. */
const parameters = ({ appRoles }: RegistrationPlan): string =>
  appRoles === undefined
    ? 'param()'
    : `\
param(
    # Application (client) ID
    [Parameter(Mandatory = $true)] [guid] $ClientId,
    # Entra ID > Enterprise apps > the app > Object ID. Not the Object ID under App registrations: with that one every sign-in fails.
    [Parameter(Mandatory = $true)] [guid] $EnterpriseObjectId
)`;

/** Exchange Online has to know the app, and to give it rights on this one mailbox. */
function letAppIn(protocols: readonly Protocol[]): string {
  return [
    '$app = "$EnterpriseObjectId"',
    'if (@(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq "$ClientId" }).Count -eq 0) {',
    '    $null = New-ServicePrincipal -AppId "$ClientId" -ObjectId $app -DisplayName mailauth',
    '}',
    '$null = Add-MailboxPermission -Identity $mailbox -User $app -AccessRights FullAccess',
    ...(protocols.includes('smtp')
      ? ['$null = Add-RecipientPermission -Identity $mailbox -Trustee $app -AccessRights SendAs -Confirm:$false']
      : []),
  ].join('\n');
}

const rightTenant = (tenant: string): string => `\
if (@(Get-ConnectionInformation | Where-Object { "$($_.TenantID)" -eq '${tenant}' }).Count -eq 0) { throw 'Signed in to another tenant than ${tenant}.' }`;

const oneMailbox = `\
$found = @(Get-CASMailbox -Identity $mailbox)
if ($found.Count -ne 1) { throw "Exchange Online knows $($found.Count) mailboxes for $mailbox" }
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
      : [
          '# A shared mailbox is opened by the licensed user who signs in.',
          `$full = @(Get-MailboxPermission -Identity $mailbox -User $signInAs | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and "$($_.Deny)" -ne 'True' })`,
          'if ($full.Count -eq 0) { $null = Add-MailboxPermission -Identity $mailbox -User $signInAs -AccessRights FullAccess -AutoMapping $false }',
          ...(protocols.includes('smtp')
            ? [
                `$sendAs = @(Get-RecipientPermission -Identity $mailbox -Trustee $signInAs | Where-Object { "$($_.AccessRights)" -match 'SendAs' })`,
                'if ($sendAs.Count -eq 0) { $null = Add-RecipientPermission -Identity $mailbox -Trustee $signInAs -AccessRights SendAs -Confirm:$false }',
              ]
            : []),
        ];
  return [...protocols.map((one) => switches[one]), ...sharedLines].join('\n');
}

const indented = (blocks: readonly string[]): string =>
  blocks
    .join('\n\n')
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
