import { quoted } from '../../entra/graph.ts';
import { applicationBody, grantBody, passwordBody, permissionIds, resourceIds, servicePrincipalBody } from '../../entra/manifest.ts';
import { rolesThat } from '../../entra/refusals.ts';
import { blanks } from './azure-cli.ts';
import { graphFrame } from './graph-powershell-frame.ts';
import { clientIdBlank, grantsConsent, type HandoffRequest, handoffSecretName, hasServicePrincipal } from './handoff-request.ts';
import { asciiJson, quoteAsciiPowerShell } from './script-quoting.ts';

/** The registration for Microsoft Graph PowerShell, in Windows PowerShell 5.1 or PowerShell 7, with the bodies of `--register auto`. */
export function graphPowerShellScript(request: HandoffRequest): string {
  const { plan } = request;
  return [
    graphFrame(request),
    `# What this script sends to Microsoft Graph.\n$body = ConvertFrom-Json ${hereString(applicationBody(plan))}\n`,
    ...(plan.exchangePermissions.length === 0 ? [] : [exchangeIds(plan.exchangePermissions)]),
    application(plan.tag),
    ...(hasServicePrincipal(plan) ? [servicePrincipal] : []),
    ...(grantsConsent(plan) ? [grants(request)] : []),
    ...(plan.secretMonths === undefined ? [] : [secret(plan.tag, plan.secretMonths)]),
    farewell(plan.secretMonths !== undefined),
  ].join('\n');
}

/** PowerShell expands nothing in such a string, and no line of JSON begins with its end mark (about_Quoting_Rules). */
const hereString = (body: object): string => `@'\n${asciiJson(body, 2)}\n'@`;

const exchangeIds = (names: readonly string[]): string =>
  `\
# The IDs of Exchange Online's permissions, as this tenant publishes them.
$exchange = @((Invoke-Graph GET ${quoteAsciiPowerShell(`servicePrincipals?$filter=appId%20eq%20${quoted(resourceIds.exchange)}&$select=id,oauth2PermissionScopes`)})['value'])
if ($exchange.Count -ne 1) { throw 'This tenant has no Exchange Online. Is it the right tenant?' }
$usual = ConvertFrom-Json ${hereString(Object.fromEntries(names.map((name) => [name, permissionIds.exchange[name]])))}
foreach ($name in ${names.map(quoteAsciiPowerShell).join(', ')}) {
    $published = @($exchange[0]['oauth2PermissionScopes'] | Where-Object { $_['value'] -eq $name })
    if ($published.Count -ne 1) { throw "Exchange Online does not offer the permission $name in this tenant." }
    $id = $published[0]['id']
    if ($id -ne $usual.$name) { Write-Warning "Exchange Online publishes an unusual ID here for \${name}: $id" }
    foreach ($resource in $body.requiredResourceAccess) {
        foreach ($access in $resource.resourceAccess) {
            if ($access.id -eq $usual.$name) { $access.id = $id }
        }
    }
}
`;

const application = (tag: string): string => `\
# The application. It is found by its tag, never by its name.
$found = @((Invoke-Graph GET ${quoteAsciiPowerShell(`applications?$filter=tags/any(t:t%20eq%20${quoted(tag)})`)})['value'])
if ($found.Count -gt 1) { throw 'More than one application has the tag, so one of them is a copy. Compare them in the portal.' }
if ($found.Count -eq 0) {
    try { $app = Invoke-Graph POST 'applications' (ConvertTo-Json $body -Depth 10) }
    catch { throw (${quoteAsciiPowerShell(`The application was not created. You need one of these roles: ${rolesThat.register.join(', ')}. `)} + "$_ $($_.ErrorDetails)") }
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
`;

const servicePrincipal = `\
# The service principal: the application's presence in this tenant.
$clientSp = Find-ServicePrincipal $clientId
if (-not $clientSp) {
    $clientSp = (Wait-ForDirectory { Invoke-Graph POST 'servicePrincipals' (@'
${asciiJson(servicePrincipalBody(blanks.appId), 2)}
'@.Replace('${blanks.appId}', $clientId)) })['id']
    Write-Host 'Service principal: created'
}
`;

function grants({ plan, cloud }: HandoffRequest): string {
  const { clientSpId, resourceSpId } = blanks;
  const page = `${cloud.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/`;
  const roles = `The application exists, but consent was refused. You need one of these roles: ${rolesThat.consent.join(', ')}. `;
  const list = (scopes: readonly string[]) => `@(${scopes.map(quoteAsciiPowerShell).join(', ')})`;
  const call = (sp: string, scopes: readonly string[]) =>
    scopes.length === 0 ? '' : `    Grant-Consent (${sp}) ${list(scopes)} ${hereString(grantBody({ clientSpId, resourceSpId, scopes }))}\n`;
  return `\
# Consent for the whole tenant: one grant for each service. A grant that is too narrow gets the missing permissions.
function Grant-Consent([string] $ResourceSp, [string[]] $Scopes, [string] $NewGrant) {
    if (-not $ResourceSp) { throw 'This tenant does not have a service that the consent is for.' }
    $filter = "oauth2PermissionGrants?\`$filter=clientId%20eq%20'$clientSp'%20and%20consentType%20eq%20'AllPrincipals'"
    $grants = @((Wait-ForDirectory { Invoke-Graph GET $filter })['value'] | Where-Object { $_['resourceId'] -eq $ResourceSp })
    if ($grants.Count -eq 0) {
        $null = Wait-ForDirectory { Invoke-Graph POST 'oauth2PermissionGrants' ($NewGrant.Replace('${clientSpId}', $clientSp).Replace('${resourceSpId}', $ResourceSp)) }
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
${call(`Find-ServicePrincipal '${resourceIds.graph}'`, plan.graphPermissions)}${call("$exchange[0]['id']", plan.exchangePermissions)}}
catch {
    throw (${quoteAsciiPowerShell(roles)} +
        'Ask somebody who has such a role to run this script again, or to press "Grant admin consent" on ' + ${quoteAsciiPowerShell(page)} + "$clientId/isMSAApp~/false. $_ $($_.ErrorDetails)")
}
`;
}

const secret = (tag: string, months: number): string => `\
# The client secret. Its value is printed below and not written to any file.
$made = $null
$secrets = @((Wait-ForDirectory { Invoke-Graph GET "applications/$objectId" })['passwordCredentials'] |
    Where-Object { $_ -and $_['displayName'] -ceq ${quoteAsciiPowerShell(handoffSecretName(tag))} })
if ($secrets.Count -eq 0 -or $WithSecret) {
    $ends = [DateTime]::UtcNow.AddMonths(${months}).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
    $made = Wait-ForDirectory { Invoke-Graph POST "applications/$objectId/addPassword" (@'
${asciiJson(passwordBody({ displayName: handoffSecretName(tag), endDateTime: blanks.endDateTime }), 2)}
'@.Replace('${blanks.endDateTime}', $ends)) }
}
`;

const farewell = (withSecret: boolean): string => `\
Write-Output '' 'Done. Send back these two values. They are not secret:' "  Application (client) ID: $clientId" "  Directory (tenant) ID:   $((Get-MgContext).TenantId)"
Write-Output 'The person who asked you continues with:' "  $($goOn.Replace('${clientIdBlank}', $clientId))"
${
  withSecret
    ? `if ($made) {
    Write-Output '' "Client secret. It is shown only this once and expires on $ends."
    Write-Output 'Send it through a password manager, never by mail or chat.'
    Write-Output "  Value:     $($made['secretText'])" "  Secret ID: $($made['keyId']) (not the value)"
}
else { Write-Output '' 'An earlier run made the client secret. It cannot be shown again. If it is lost, run this script with -WithSecret.' }
`
    : ''
}`;
