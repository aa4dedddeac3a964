# Stands in for Exchange Online PowerShell. What it knows lives in the file $env:RIG_EXCHANGE; each change is written to its `calls`.
Set-StrictMode -Version Latest

function Read-State { Get-Content -Raw -LiteralPath $env:RIG_EXCHANGE | ConvertFrom-Json -AsHashtable }
# With $env:RIG_GATE = '2 before' the second change hangs before it is made, with '2 after' when it was made, until this process is killed.
function Wait-AtGate([string] $Where, $State) {
    $nth = @($State['calls']).Count + $(if ($Where -ceq 'before') { 1 } else { 0 })
    if ($env:RIG_GATE -cne "$nth $Where") { return }
    Set-Content -LiteralPath "$env:RIG_EXCHANGE.stopped" -Value $PID
    Start-Sleep -Seconds 60
}
function Edit-State([scriptblock] $Edit, [string] $Call) {
    $state = Read-State
    Wait-AtGate 'before' $state
    & $Edit $state
    $state['calls'] = @($state['calls']) + $Call
    ConvertTo-Json $state -Depth 10 | Set-Content -LiteralPath $env:RIG_EXCHANGE
    Wait-AtGate 'after' $state
}
function Test-Mailbox($State, [string] $Identity) {
    if ($State['mailboxes'].ContainsKey($Identity)) { return }
    throw "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object '$Identity' couldn't be found."
}

function Connect-ExchangeOnline {
    [CmdletBinding()]
    param([string] $UserPrincipalName, [bool] $ShowBanner = $true, [string] $ExchangeEnvironmentName = 'O365Default')
}
function Disconnect-ExchangeOnline { [CmdletBinding(SupportsShouldProcess)] param() }
function Get-ConnectionInformation { [pscustomobject]@{ TenantID = $env:RIG_TENANT; State = 'Connected' } }

function Get-CASMailbox {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity)
    $state = Read-State
    Test-Mailbox $state $Identity
    [pscustomobject] $state['mailboxes'][$Identity]
}
function Set-CASMailbox {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity, [bool] $ImapEnabled, [bool] $PopEnabled, [System.Nullable[bool]] $SmtpClientAuthenticationDisabled)
    Test-Mailbox (Read-State) $Identity
    $changes = @($PSBoundParameters.Keys | Where-Object { $_ -cne 'Identity' } | Sort-Object)
    $given = $PSBoundParameters
    Edit-State { param($s) foreach ($name in $changes) { $s['mailboxes'][$Identity][$name] = $given[$name] } } "Set-CASMailbox $Identity $changes"
}
function Get-MailboxPermission {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity, [string] $User)
    $state = Read-State
    Test-Mailbox $state $Identity
    $state['permissions'] | Where-Object { $_['Identity'] -eq $Identity -and (-not $User -or $_['User'] -eq $User) } | ForEach-Object { [pscustomobject] $_ }
}
function Add-MailboxPermission {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity, [Parameter(Mandatory)] [string] $User, [string[]] $AccessRights, [bool] $AutoMapping = $true)
    $one = @{ Identity = $Identity; User = $User; AccessRights = $AccessRights; Deny = $false; IsInherited = $false }
    Edit-State { param($s) $s['permissions'] = @($s['permissions']) + $one } "Add-MailboxPermission $Identity $User $AccessRights"
    [pscustomobject] $one
}
function Get-RecipientPermission {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity, [string] $Trustee)
    (Read-State)['trustees'] | Where-Object { $_['Identity'] -eq $Identity -and (-not $Trustee -or $_['Trustee'] -eq $Trustee) } | ForEach-Object { [pscustomobject] $_ }
}
function Add-RecipientPermission {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)] [string] $Identity, [Parameter(Mandatory)] [string] $Trustee, [string[]] $AccessRights)
    if (-not $PSCmdlet.ShouldProcess($Identity)) { return }
    $one = @{ Identity = $Identity; Trustee = $Trustee; AccessRights = $AccessRights }
    Edit-State { param($s) $s['trustees'] = @($s['trustees']) + $one } "Add-RecipientPermission $Identity $Trustee $AccessRights"
    [pscustomobject] $one
}
function Get-ServicePrincipal { (Read-State)['servicePrincipals'] | Where-Object { $_ } | ForEach-Object { [pscustomobject] $_ } }
function New-ServicePrincipal {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $AppId, [Parameter(Mandatory)] [string] $ObjectId, [string] $DisplayName)
    $one = @{ AppId = $AppId; ObjectId = $ObjectId; DisplayName = $DisplayName }
    Edit-State { param($s) $s['servicePrincipals'] = @($s['servicePrincipals']) + $one } "New-ServicePrincipal $AppId $ObjectId"
    [pscustomobject] $one
}

function Get-Mailbox {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Identity)
    Test-Mailbox (Read-State) $Identity
    [pscustomobject]@{ RecipientTypeDetails = 'UserMailbox'; PrimarySmtpAddress = $Identity; EmailAddresses = @("SMTP:$Identity") }
}
function Get-TransportConfig { [pscustomobject]@{ SmtpClientAuthenticationDisabled = $true } }
function Remove-MailboxPermission {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)] [string] $Identity, [Parameter(Mandatory)] [string] $User, [string[]] $AccessRights)
    if (-not $PSCmdlet.ShouldProcess($Identity)) { return }
    Edit-State { param($s) $s['permissions'] = @($s['permissions'] | Where-Object { $_['User'] -ne $User }) } "Remove-MailboxPermission $Identity $User"
}
function Remove-RecipientPermission {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)] [string] $Identity, [Parameter(Mandatory)] [string] $Trustee, [string[]] $AccessRights)
    if (-not $PSCmdlet.ShouldProcess($Identity)) { return }
    Edit-State { param($s) $s['trustees'] = @($s['trustees'] | Where-Object { $_['Trustee'] -ne $Trustee }) } "Remove-RecipientPermission $Identity $Trustee"
}
