# Switches on what a mailbox needs for IMAP, POP and SMTP, with Exchange Online PowerShell.
#
#   Install-Module ExchangeOnlineManagement -Scope CurrentUser     (once)
#   powershell -ExecutionPolicy Bypass -File 4-exchange-online.ps1
#
# You need the role Exchange Administrator. You can run this script twice: it changes only what differs, and shows the state before
# and after. A change takes effect after some minutes, at most after about an hour. This file contains no secret. Written by mailauth.
[CmdletBinding()]
param()
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$mailbox = 'helpdesk@contoso.com'

if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) {
    throw 'Exchange Online PowerShell is not installed: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
}
Import-Module ExchangeOnlineManagement
Connect-ExchangeOnline -ShowBanner:$false
try {
    if (@(Get-ConnectionInformation | Where-Object { "$($_.TenantID)" -eq '72f988bf-86f1-41af-91ab-2d7cd011db47' }).Count -eq 0) { throw 'You are signed in to another tenant than 72f988bf-86f1-41af-91ab-2d7cd011db47.' }

    $found = @(Get-CASMailbox -Identity $mailbox)
    if ($found.Count -ne 1) { throw "Exchange Online has $($found.Count) mailboxes for $mailbox, and exactly one is needed" }
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
