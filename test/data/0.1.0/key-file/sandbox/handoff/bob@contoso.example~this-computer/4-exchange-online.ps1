# Switches on what a mailbox needs for the mail protocols, with Exchange Online PowerShell.
#
#   Install-Module ExchangeOnlineManagement -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File 4-exchange-online.ps1
#
# It takes the role Exchange Administrator. Safe to run twice: it changes only what differs, and shows the state before and after.
# Exchange Online acts on a change after some minutes, seldom an hour. No secret is in this file. Written by mailauth.
[CmdletBinding()]
param()
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$mailbox = 'bob@contoso.example'

if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) {
    throw 'Exchange Online PowerShell is not installed: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
}
Import-Module ExchangeOnlineManagement
Connect-ExchangeOnline -ShowBanner:$false
try {
    if (@(Get-ConnectionInformation | Where-Object { "$($_.TenantID)" -eq '5a4db0c5-c0de-4a11-b0b5-c0ffee000365' }).Count -eq 0) { throw 'Signed in to another tenant than 5a4db0c5-c0de-4a11-b0b5-c0ffee000365.' }

    $found = @(Get-CASMailbox -Identity $mailbox)
    if ($found.Count -ne 1) { throw "Exchange Online knows $($found.Count) mailboxes for $mailbox" }
    $box = $found[0]

    Write-Host 'Before:'
    Get-CASMailbox -Identity $mailbox | Format-List -Property 'ImapEnabled', 'PopEnabled', 'SmtpClientAuthenticationDisabled' | Out-Host

    if (-not $box.ImapEnabled) { Set-CASMailbox -Identity $mailbox -ImapEnabled $true }
    if (-not $box.PopEnabled) { Set-CASMailbox -Identity $mailbox -PopEnabled $true }
    if ($box.SmtpClientAuthenticationDisabled -ne $false) { Set-CASMailbox -Identity $mailbox -SmtpClientAuthenticationDisabled $false }

    Write-Host 'After:'
    Get-CASMailbox -Identity $mailbox | Format-List -Property 'ImapEnabled', 'PopEnabled', 'SmtpClientAuthenticationDisabled' | Out-Host
}
finally {
    Disconnect-ExchangeOnline -Confirm:$false
}
