import { type Cloud, scriptNames } from '../../core/cloud.ts';
import { comparableTenant, fileNames, grantsConsent, type HandoffRequest } from './handoff-request.ts';
import { quoteAsciiPowerShell } from './script-quoting.ts';

/** Everything before the first call: the sign-in, the values, and the functions that the later parts use. */
export function graphFrame(request: HandoffRequest): string {
  const { plan, cloud, goOn, tenantId } = request;
  const wantsSecret = plan.secretMonths !== undefined;
  const tenant = comparableTenant(request);
  const scopes = ['Application.ReadWrite.All', ...(grantsConsent(plan) ? ['DelegatedPermissionGrant.ReadWrite.All'] : [])];
  return `\
# Registers the application for a mailbox with Microsoft Graph PowerShell.
#
#   Install-Module Microsoft.Graph.Authentication -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File ${fileNames.graph}${wantsSecret ? ' [-WithSecret]' : ''}
#
# You can run this script twice: it finds its own application by its tag and changes only what differs. Wait a minute between two
# runs. This file contains no secret.${wantsSecret ? ' -WithSecret makes another client secret, for when the first was lost.' : ''} Written by mailauth.
[CmdletBinding()]
param(${wantsSecret ? '[switch] $WithSecret' : ''})
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$goOn = ${quoteAsciiPowerShell(goOn)}

if (-not (Get-Module -ListAvailable -Name Microsoft.Graph.Authentication)) {
    throw 'Microsoft Graph PowerShell is not installed: Install-Module Microsoft.Graph.Authentication -Scope CurrentUser'
}
Import-Module Microsoft.Graph.Authentication
${environment(cloud)}
# The sign-in is kept in this process only.
$null = Connect-MgGraph -TenantId ${quoteAsciiPowerShell(tenantId)} -Scopes ${scopes.map(quoteAsciiPowerShell).join(', ')} -Environment $environment -ContextScope Process
${tenant === undefined ? '' : `if ((Get-MgContext).TenantId -ne '${tenant}') { throw "Signed in to the tenant $((Get-MgContext).TenantId), not to ${tenant}." }\n`}
function Invoke-Graph([string] $Method, [string] $Path, [string] $Json) {
    $request = @{ Method = $Method; Uri = "/v1.0/$Path"; OutputType = 'Hashtable' }
    if ($Json) {
        $request['Body'] = $Json
        $request['ContentType'] = 'application/json'
    }
    Invoke-MgGraphRequest @request
}

# Tries again for a minute and a half, because a new object is not visible everywhere in the directory at once.
function Wait-ForDirectory([scriptblock] $Call) {
    foreach ($pause in 2, 4, 8, 15, 15, 15, 15, 15, 0) {
        try { return (& $Call) }
        catch {
            $lag = "$_ $($_.ErrorDetails)" -match 'NoBackingApplicationObject|Request_ResourceNotFound|Directory_ObjectNotFound|in the local tenant'
            if (-not $lag -or $pause -eq 0) { throw }
            Write-Host "The new object is not visible everywhere in the directory yet; trying again in $pause s"
            Start-Sleep -Seconds $pause
        }
    }
}

function Find-ServicePrincipal([string] $AppId) {
    foreach ($one in @((Invoke-Graph GET "servicePrincipals?\`$filter=appId%20eq%20'$AppId'&\`$select=id")['value'])) { return $one['id'] }
}

function Test-Differs([string[]] $Left, [string[]] $Right) {
    if ($Left.Count -ne $Right.Count) { return $true }
    return @($Right | Where-Object { $Left -cnotcontains $_ }).Count -gt 0
}
`;
}

/** A cloud of a cloud file is made known first (Add-MgEnvironment). */
function environment(cloud: Cloud): string {
  const known = scriptNames(cloud)?.graphPowerShell;
  if (known !== undefined) return `$environment = '${known}'`;
  return `\
$environment = ${quoteAsciiPowerShell(cloud.name)}
if (-not (Get-MgEnvironment | Where-Object { $_.Name -eq $environment })) {
    $null = Add-MgEnvironment -Name $environment -AzureADEndpoint ${quoteAsciiPowerShell(cloud.login)} -GraphEndpoint ${quoteAsciiPowerShell(cloud.graph)}
}`;
}
