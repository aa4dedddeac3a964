import { quoteAsciiPowerShell } from '../by-hand/handoff/script-quoting.ts';

/** Only these are run, whatever stands in a line. */
const allowed = [
  ...['Get-CASMailbox', 'Set-CASMailbox', 'Get-TransportConfig', 'Get-Mailbox'],
  ...['Get-MailboxPermission', 'Add-MailboxPermission', 'Remove-MailboxPermission'],
  ...['Get-RecipientPermission', 'Add-RecipientPermission', 'Remove-RecipientPermission'],
  ...['Get-ServicePrincipal', 'New-ServicePrincipal', 'Remove-ServicePrincipal', 'Test-ServicePrincipalAuthorization'],
  ...['Get-ManagementScope', 'New-ManagementScope', 'Remove-ManagementScope', 'Enable-OrganizationCustomization'],
  ...['Get-ManagementRoleAssignment', 'New-ManagementRoleAssignment', 'Remove-ManagementRoleAssignment'],
] as const;

/** What is read of an object that a cmdlet gives: the module's objects hold whole graphs. */
const properties = [
  ...['ImapEnabled', 'PopEnabled', 'SmtpClientAuthenticationDisabled', 'RecipientTypeDetails', 'PrimarySmtpAddress', 'UserPrincipalName'],
  ...['EmailAddresses', 'User', 'AccessRights', 'Deny', 'IsInherited', 'Trustee', 'AccessControlType', 'AppId', 'ObjectId', 'DisplayName'],
  ...['Name', 'Identity', 'Role', 'RoleAssigneeName', 'App', 'CustomResourceScope', 'RecipientFilter', 'RecipientRestrictionFilter'],
  ...['RoleName', 'InScope', 'AllowedResourceScope', 'ScopeType', 'GrantedPermissions'],
] as const;

/**
 * A script for PowerShell 7 that signs in with Microsoft's module and then runs one cmdlet for each line of JSON that it reads, and answers
 * each with one line of JSON. `environment`: of a national cloud, as the module names it.
 */
export const bridgeScript = (environment: string | undefined): string => `\
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$InformationPreference = 'SilentlyContinue'
$utf8 = [System.Text.UTF8Encoding]::new($false)
[Console]::OutputEncoding = $utf8
$reader = [System.IO.StreamReader]::new([Console]::OpenStandardInput(), $utf8)
$allowed = @(${allowed.map((name) => quoteAsciiPowerShell(name)).join(', ')})
$properties = @(${properties.map((name) => quoteAsciiPowerShell(name)).join(', ')})
function Write-Answer([hashtable] $Answer) {
    [Console]::Out.WriteLine((ConvertTo-Json -InputObject $Answer -Depth 5 -Compress))
    [Console]::Out.Flush()
}
function ConvertTo-Plain($Value) {
    if ($null -eq $Value -or $Value -is [bool] -or $Value -is [string]) { return $Value }
    if ($Value -is [System.Collections.IEnumerable]) { return , @(foreach ($one in $Value) { "$one" }) }
    return "$Value"
}
function ConvertTo-Shape($Object) {
    $shape = @{}
    foreach ($name in $properties) {
        $member = $Object.PSObject.Properties[$name]
        if ($null -ne $member) { $shape[$name] = ConvertTo-Plain $member.Value }
    }
    return $shape
}
if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) { Write-Answer @{ kind = 'no-module' }; exit 3 }
try {
    Import-Module ExchangeOnlineManagement
    $null = Connect-ExchangeOnline -ShowBanner:$false${environment === undefined ? '' : ` -ExchangeEnvironmentName ${quoteAsciiPowerShell(environment)}`}
    $connections = @(Get-ConnectionInformation)
    $users = @(foreach ($one in $connections) { $user = $one.PSObject.Properties['UserPrincipalName']; if ($null -ne $user) { "$($user.Value)" } })
    Write-Answer @{ kind = 'ready'; tenants = @(foreach ($one in $connections) { "$($one.TenantID)" }); user = "$($users | Select-Object -First 1)" }
}
catch { Write-Answer @{ kind = 'failed'; said = "$($_.Exception.Message)" }; exit 4 }
try {
    while ($null -ne ($line = $reader.ReadLine())) {
        try {
            $asked = ConvertFrom-Json -InputObject $line -AsHashtable
            $name = [string] $asked['name']
            if ($allowed -cnotcontains $name) { throw "not run: $name" }
            $parameters = [hashtable] $asked['parameters']
            $shapes = @(foreach ($object in @(& $name @parameters)) { if ($null -ne $object) { ConvertTo-Shape $object } })
            Write-Answer @{ kind = 'ok'; objects = $shapes }
        }
        catch { Write-Answer @{ kind = 'refused'; said = "$($_.Exception.Message)"; id = "$($_.FullyQualifiedErrorId)" } }
    }
}
finally { Disconnect-ExchangeOnline -Confirm:$false }
`;
