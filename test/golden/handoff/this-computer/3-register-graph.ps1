# Registers the application for a mailbox with Microsoft Graph PowerShell.
#
#   Install-Module Microsoft.Graph.Authentication -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File 3-register-graph.ps1
#
# You can run this script twice: it finds its own application by its tag and changes only what differs. Wait a minute between two
# runs. This file contains no secret. Written by mailauth.
[CmdletBinding()]
param()
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$goOn = 'mailauth setup --for this-computer --mailbox helpdesk@contoso.com --register existing --client-id CLIENT-ID'

if (-not (Get-Module -ListAvailable -Name Microsoft.Graph.Authentication)) {
    throw 'Microsoft Graph PowerShell is not installed: Install-Module Microsoft.Graph.Authentication -Scope CurrentUser'
}
Import-Module Microsoft.Graph.Authentication
$environment = 'Global'
# The sign-in is kept in this process only.
$null = Connect-MgGraph -TenantId '72f988bf-86f1-41af-91ab-2d7cd011db47' -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All' -Environment $environment -ContextScope Process
if ((Get-MgContext).TenantId -ne '72f988bf-86f1-41af-91ab-2d7cd011db47') { throw "Signed in to the tenant $((Get-MgContext).TenantId), not to 72f988bf-86f1-41af-91ab-2d7cd011db47." }

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
    foreach ($one in @((Invoke-Graph GET "servicePrincipals?`$filter=appId%20eq%20'$AppId'&`$select=id")['value'])) { return $one['id'] }
}

function Test-Differs([string[]] $Left, [string[]] $Right) {
    if ($Left.Count -ne $Right.Count) { return $true }
    return @($Right | Where-Object { $Left -cnotcontains $_ }).Count -gt 0
}

# What this script sends to Microsoft Graph.
$body = ConvertFrom-Json @'
{
  "displayName": "mailauth this-computer helpdesk@contoso.com",
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
    "mailauth:5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d"
  ]
}
'@

# The IDs of Exchange Online's permissions, as this tenant publishes them.
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
    if ($id -ne $usual.$name) { Write-Warning "Exchange Online publishes an unusual ID here for ${name}: $id" }
    foreach ($resource in $body.requiredResourceAccess) {
        foreach ($access in $resource.resourceAccess) {
            if ($access.id -eq $usual.$name) { $access.id = $id }
        }
    }
}

# The application. It is found by its tag, never by its name.
$found = @((Invoke-Graph GET 'applications?$filter=tags/any(t:t%20eq%20''mailauth%3A5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d'')')['value'])
if ($found.Count -gt 1) { throw 'More than one application has the tag, so one of them is a copy. Compare them in the portal.' }
if ($found.Count -eq 0) {
    try { $app = Invoke-Graph POST 'applications' (ConvertTo-Json $body -Depth 10) }
    catch { throw ('The application was not created. You need one of these roles: Application Developer, Cloud Application Administrator, Application Administrator. ' + "$_ $($_.ErrorDetails)") }
    Write-Host "Application $($app['appId']): created"
}
else {
    $app = $found[0]
    $patch = @{}
    if ($app['displayName'] -cne $body.displayName) { $patch['displayName'] = $body.displayName }
    if ($app['signInAudience'] -cne $body.signInAudience) { $patch['signInAudience'] = $body.signInAudience }
    if ([bool] $app['isFallbackPublicClient'] -ne $body.isFallbackPublicClient) { $patch['isFallbackPublicClient'] = $body.isFallbackPublicClient }

    # What others added stays, but a redirect URI can stand on one platform only.
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

# The service principal: the application's presence in this tenant.
$clientSp = Find-ServicePrincipal $clientId
if (-not $clientSp) {
    $clientSp = (Wait-ForDirectory { Invoke-Graph POST 'servicePrincipals' (@'
{
  "appId": "@APP_ID@"
}
'@.Replace('@APP_ID@', $clientId)) })['id']
    Write-Host 'Service principal: created'
}

# Consent for the whole tenant: one grant for each service. A grant that is too narrow gets the missing permissions.
function Grant-Consent([string] $ResourceSp, [string[]] $Scopes, [string] $NewGrant) {
    if (-not $ResourceSp) { throw 'This tenant does not have a service that the consent is for.' }
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
    throw ('The application exists, but consent was refused. You need one of these roles: Cloud Application Administrator, Application Administrator, Privileged Role Administrator, Global Administrator. ' +
        'Ask somebody who has such a role to run this script again, or to press "Grant admin consent" on ' + 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/' + "$clientId/isMSAApp~/false. $_ $($_.ErrorDetails)")
}

Write-Output '' 'Done. Send back these two values. They are not secret:' "  Application (client) ID: $clientId" "  Directory (tenant) ID:   $((Get-MgContext).TenantId)"
Write-Output 'The person who asked you continues with:' "  $($goOn.Replace('CLIENT-ID', $clientId))"
