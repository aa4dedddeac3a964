# Registers the application for a mailbox with Microsoft Graph PowerShell.
#
#   Install-Module Microsoft.Graph.Authentication -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File 3-register-graph.ps1
#
# Safe to run twice: it finds its own application by its tag and changes only what differs. After the first run wait a minute before
# the next. No secret is in this file. Written by mailauth.
[CmdletBinding()]
param()
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$goOn = 'mailauth setup --resume --mailbox bob@contoso.example --client-id CLIENT-ID --sandbox'

if (-not (Get-Module -ListAvailable -Name Microsoft.Graph.Authentication)) {
    throw 'Microsoft Graph PowerShell is not installed: Install-Module Microsoft.Graph.Authentication -Scope CurrentUser'
}
Import-Module Microsoft.Graph.Authentication
$environment = 'sandbox'
if (-not (Get-MgEnvironment | Where-Object { $_.Name -eq $environment })) {
    $null = Add-MgEnvironment -Name $environment -AzureADEndpoint 'https://localhost:45047' -GraphEndpoint 'https://localhost:45047/graph'
}
# The sign-in lives in this process only.
$null = Connect-MgGraph -TenantId '5a4db0c5-c0de-4a11-b0b5-c0ffee000365' -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All' -Environment $environment -ContextScope Process
if ((Get-MgContext).TenantId -ne '5a4db0c5-c0de-4a11-b0b5-c0ffee000365') { throw "Signed in to the tenant $((Get-MgContext).TenantId), not to 5a4db0c5-c0de-4a11-b0b5-c0ffee000365." }

function Invoke-Graph([string] $Method, [string] $Path, [string] $Json) {
    $request = @{ Method = $Method; Uri = "/v1.0/$Path"; OutputType = 'Hashtable' }
    if ($Json) {
        $request['Body'] = $Json
        $request['ContentType'] = 'application/json'
    }
    Invoke-MgGraphRequest @request
}

# Tries again for a minute and a half while the directory does not know its new object everywhere.
function Wait-ForDirectory([scriptblock] $Call) {
    foreach ($pause in 2, 4, 8, 15, 15, 15, 15, 15, 0) {
        try { return (& $Call) }
        catch {
            $lag = "$_ $($_.ErrorDetails)" -match 'NoBackingApplicationObject|Request_ResourceNotFound|Directory_ObjectNotFound|in the local tenant'
            if (-not $lag -or $pause -eq 0) { throw }
            Write-Host "The directory does not show the new object everywhere yet; again in $pause s"
            Start-Sleep -Seconds $pause
        }
    }
}

function Find-ServicePrincipal([string] $AppId) {
    foreach ($one in @((Invoke-Graph GET "servicePrincipals?`$filter=appId%20eq%20'$AppId'&`$select=id")['value'])) { return $one['id'] }
}

function Test-Differs([string[]] $Left, [string[]] $Right) {
    if ($Left.Count -ne $Right.Count) { return $true }
    return @($Right | Where-Object { $Left -cnotcontains $_ }).Count -gt 0
}

# What Microsoft Graph is sent.
$body = ConvertFrom-Json @'
{
  "displayName": "mailauth this-computer bob@contoso.example",
  "signInAudience": "AzureADMyOrg",
  "isFallbackPublicClient": false,
  "publicClient": {
    "redirectUris": [
      "http://localhost"
    ]
  },
  "web": {
    "redirectUris": [],
    "implicitGrantSettings": {
      "enableAccessTokenIssuance": false,
      "enableIdTokenIssuance": false
    }
  },
  "requiredResourceAccess": [
    {
      "resourceAppId": "00000003-0000-0000-c000-000000000000",
      "resourceAccess": [
        {
          "id": "37f7f235-527c-4136-accd-4a02d197296e",
          "type": "Scope"
        },
        {
          "id": "14dad69e-099b-42c9-810b-d002981feec1",
          "type": "Scope"
        },
        {
          "id": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
          "type": "Scope"
        },
        {
          "id": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
          "type": "Scope"
        },
        {
          "id": "652390e4-393a-48de-9484-05f9b1212954",
          "type": "Scope"
        },
        {
          "id": "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
          "type": "Scope"
        },
        {
          "id": "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
          "type": "Scope"
        }
      ]
    },
    {
      "resourceAppId": "00000002-0000-0ff1-ce00-000000000000",
      "resourceAccess": [
        {
          "id": "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
          "type": "Scope"
        },
        {
          "id": "fb698133-92fa-453e-a9ed-688e10f2e5ac",
          "type": "Scope"
        },
        {
          "id": "76faac2a-0f20-42f1-928a-50de5b9dbe52",
          "type": "Scope"
        }
      ]
    }
  ],
  "tags": [
    "mailauth:0dd82498-3bac-4ab1-be9d-87280c648143"
  ]
}
'@

# The ids of Exchange Online's permissions, as this tenant publishes them.
$exchange = @((Invoke-Graph GET 'servicePrincipals?$filter=appId%20eq%20''00000002-0000-0ff1-ce00-000000000000''&$select=id,oauth2PermissionScopes')['value'])
if ($exchange.Count -ne 1) { throw 'This tenant has no Exchange Online. Is it the right tenant?' }
$usual = ConvertFrom-Json @'
{
  "IMAP.AccessAsUser.All": "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
  "POP.AccessAsUser.All": "fb698133-92fa-453e-a9ed-688e10f2e5ac",
  "SMTP.Send": "76faac2a-0f20-42f1-928a-50de5b9dbe52"
}
'@
foreach ($name in 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send') {
    $published = @($exchange[0]['oauth2PermissionScopes'] | Where-Object { $_['value'] -eq $name })
    if ($published.Count -ne 1) { throw "Exchange Online does not offer the permission $name in this tenant." }
    $id = $published[0]['id']
    if ($id -ne $usual.$name) { Write-Warning "Exchange Online publishes another id here than usual for ${name}: $id" }
    foreach ($resource in $body.requiredResourceAccess) {
        foreach ($access in $resource.resourceAccess) {
            if ($access.id -eq $usual.$name) { $access.id = $id }
        }
    }
}

# The application: found by its tag, never by its name.
$found = @((Invoke-Graph GET 'applications?$filter=tags/any(t:t%20eq%20''mailauth%3A0dd82498-3bac-4ab1-be9d-87280c648143'')')['value'])
if ($found.Count -gt 1) { throw 'More than one application carries the tag. Somebody copied it: compare them in the portal.' }
if ($found.Count -eq 0) {
    try { $app = Invoke-Graph POST 'applications' (ConvertTo-Json $body -Depth 10) }
    catch { throw ('The application was not made. It takes one of these roles: Application Developer, Cloud Application Administrator, Application Administrator. ' + "$_ $($_.ErrorDetails)") }
    Write-Host "Application $($app['appId']): made"
}
else {
    $app = $found[0]
    $patch = @{}
    if ($app['displayName'] -cne $body.displayName) { $patch['displayName'] = $body.displayName }
    if ($app['signInAudience'] -cne $body.signInAudience) { $patch['signInAudience'] = $body.signInAudience }
    if ([bool] $app['isFallbackPublicClient'] -ne $body.isFallbackPublicClient) { $patch['isFallbackPublicClient'] = $body.isFallbackPublicClient }

    # What others added stays, but a redirect URI has one platform only.
    $ours = @($body.publicClient.redirectUris) + @($body.web.redirectUris)
    foreach ($platform in 'publicClient', 'web') {
        $has = @($app[$platform]['redirectUris'] | Where-Object { $_ })
        $uris = @($has | Where-Object { $ours -cnotcontains $_ }) + @($body.$platform.redirectUris)
        if (Test-Differs $has $uris) { $patch[$platform] = @{ redirectUris = $uris } }
    }
    $implicit = $app['web']['implicitGrantSettings']
    foreach ($name in 'enableAccessTokenIssuance', 'enableIdTokenIssuance') {
        if ([bool] $implicit[$name] -ne $body.web.implicitGrantSettings.$name) {
            if (-not $patch.ContainsKey('web')) { $patch['web'] = @{} }
            $patch['web']['implicitGrantSettings'] = $body.web.implicitGrantSettings
        }
    }

    $resources = @{}
    foreach ($one in @($app['requiredResourceAccess'] | Where-Object { $_ })) { $resources[$one['resourceAppId']] = @($one['resourceAccess']) }
    $missing = 0
    foreach ($one in $body.requiredResourceAccess) {
        $has = @()
        if ($resources.ContainsKey($one.resourceAppId)) { $has = @($resources[$one.resourceAppId]) }
        $ids = @($has | ForEach-Object { $_['id'] })
        $more = @($one.resourceAccess | Where-Object { $ids -notcontains $_.id })
        $missing += $more.Count
        $resources[$one.resourceAppId] = $has + $more
    }
    if ($missing -gt 0) {
        $patch['requiredResourceAccess'] = @($resources.Keys | ForEach-Object { @{ resourceAppId = $_; resourceAccess = @($resources[$_]) } })
    }
    if ($body.PSObject.Properties.Name -contains 'api' -and $app['api']['requestedAccessTokenVersion'] -ne 2) { $patch['api'] = $body.api }

    if ($patch.Count -gt 0) {
        $null = Invoke-Graph PATCH "applications/$($app['id'])" (ConvertTo-Json $patch -Depth 10)
        Write-Host "Application $($app['appId']): changed"
    }
    else { Write-Host "Application $($app['appId']): found" }
}
$objectId = $app['id']
$clientId = $app['appId']

# Its presence in this tenant.
$clientSp = Find-ServicePrincipal $clientId
if (-not $clientSp) {
    $clientSp = (Wait-ForDirectory { Invoke-Graph POST 'servicePrincipals' (@'
{
  "appId": "@APP_ID@"
}
'@.Replace('@APP_ID@', $clientId)) })['id']
    Write-Host 'Service principal: made'
}

# Consent for the whole tenant: one grant for each service, widened where it is too narrow.
function Grant-Consent([string] $ResourceSp, [string[]] $Scopes, [string] $NewGrant) {
    if (-not $ResourceSp) { throw 'A service that consent is needed for is not in this tenant.' }
    $filter = "oauth2PermissionGrants?`$filter=clientId%20eq%20'$clientSp'%20and%20consentType%20eq%20'AllPrincipals'"
    $grants = @((Wait-ForDirectory { Invoke-Graph GET $filter })['value'] | Where-Object { $_['resourceId'] -eq $ResourceSp })
    if ($grants.Count -eq 0) {
        $null = Wait-ForDirectory { Invoke-Graph POST 'oauth2PermissionGrants' ($NewGrant.Replace('@CLIENT_SP_ID@', $clientSp).Replace('@RESOURCE_SP_ID@', $ResourceSp)) }
        Write-Host "Consent: given for $Scopes"
        return
    }
    $has = @("$($grants[0]['scope'])".Split(' ') | Where-Object { $_ })
    $missing = @($Scopes | Where-Object { $has -cnotcontains $_ })
    if ($missing.Count -eq 0) { return }
    $null = Invoke-Graph PATCH "oauth2PermissionGrants/$($grants[0]['id'])" (ConvertTo-Json @{ scope = ($has + $missing) -join ' ' })
    Write-Host "Consent: given for $missing"
}
try {
    Grant-Consent (Find-ServicePrincipal '00000003-0000-0000-c000-000000000000') @('openid', 'profile', 'email', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send') @'
{
  "clientId": "@CLIENT_SP_ID@",
  "consentType": "AllPrincipals",
  "principalId": null,
  "resourceId": "@RESOURCE_SP_ID@",
  "scope": "openid profile email offline_access IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"
}
'@
    Grant-Consent ($exchange[0]['id']) @('IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send') @'
{
  "clientId": "@CLIENT_SP_ID@",
  "consentType": "AllPrincipals",
  "principalId": null,
  "resourceId": "@RESOURCE_SP_ID@",
  "scope": "IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"
}
'@
}
catch {
    throw ('The application is there, but consent was refused. It takes one of these roles: Cloud Application Administrator, Application Administrator, Privileged Role Administrator, Global Administrator. ' +
        'Somebody who has it runs this script again, or presses "Grant admin consent" on ' + 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/' + "$clientId/isMSAApp~/false. $_ $($_.ErrorDetails)")
}

Write-Output '' 'Done. Send this back, none of it is secret:' "  Application (client) ID: $clientId" "  Directory (tenant) ID:   $((Get-MgContext).TenantId)"
Write-Output 'They go on with:' "  $($goOn.Replace('CLIENT-ID', $clientId))"
