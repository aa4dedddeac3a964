import type { MailHost } from '../core/cloud.ts';
import { quotePowerShell } from '../core/shell/quoting.ts';
import { type ExportClient, runAsScript, sections, tokenFunction } from './client.ts';

/** .NET's own sockets and TLS, which Windows PowerShell 5.1 has as well: nothing to install, and no program in between. */
export const powershell: ExportClient = {
  name: 'powershell',
  title: 'PowerShell',
  speaks: ['imap', 'pop', 'smtp'],
  notes: (values) => [
    `Windows PowerShell 5.1 or PowerShell 7: ${runAsScript(values)}`,
    'The token goes from one program to the other, never through an argument list.',
  ],
  render: (values) => {
    const { imap, pop, smtp } = values.hosts;
    const { read, send } = values.users;
    return sections(
      `$ErrorActionPreference = 'Stop'\n\n${tokenFunction(values)}\n${functions}`,
      imap && reading(imap, read),
      pop && fetching(pop, read),
      smtp && sending(smtp, send),
    );
  },
};

const functions = `function Get-XOAuth2([string] $User) {
    $one = [char] 1
    [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("user=$User$($one)auth=Bearer $(Get-MailauthToken)$one$one"))
}

function Connect-Mail([string] $Server, [int] $Port) {
    $client = [Net.Sockets.TcpClient]::new($Server, $Port)
    $mail = @{ Server = $Server; Client = $client; Stream = $client.GetStream() }
    Set-Line $mail
    $mail
}

function Set-Line($Mail) {
    $Mail.Reader = [IO.StreamReader]::new($Mail.Stream)
    $Mail.Writer = [IO.StreamWriter]::new($Mail.Stream)
    $Mail.Writer.NewLine = "\`r\`n"
    $Mail.Writer.AutoFlush = $true
}

# The certificate and the name in it are checked.
function Start-Tls($Mail) {
    $Mail.Stream = [Net.Security.SslStream]::new($Mail.Stream)
    $Mail.Stream.AuthenticateAsClient($Mail.Server)
    Set-Line $Mail
}

# Reads up to the line that ends an answer, and stops where that is not the one that is wanted.
function Read-Answer($Mail, [string] $End, [string] $Wanted) {
    do {
        $line = $Mail.Reader.ReadLine()
        if ($null -eq $line) { throw 'The server closed the connection' }
        $line
    } until ($line -match $End)
    if ($line -notmatch $Wanted) { throw "The server said: $line" }
}

function Send-Command($Mail, [string] $Command, [string] $End, [string] $Wanted) {
    $Mail.Writer.WriteLine($Command)
    Read-Answer $Mail $End $Wanted
}
`;

const connected = (name: string, { host, port, security }: MailHost, beforeTls: string): string =>
  `$${name} = Connect-Mail ${quotePowerShell(host)} ${port}\n${security === 'tls' ? '' : beforeTls}Start-Tls $${name}\n`;

function reading(server: MailHost, user: string): string {
  return `${connected('imap', server, "$null = Read-Answer $imap '^\\* ' '^\\* OK'\n$null = Send-Command $imap 'a STARTTLS' '^a ' '^a OK'\n")}${server.security === 'tls' ? "$null = Read-Answer $imap '^\\* ' '^\\* OK'\n" : ''}$null = Send-Command $imap "b AUTHENTICATE XOAUTH2 $(Get-XOAuth2 ${quotePowerShell(user)})" '^(b |\\+)' '^b OK'
Send-Command $imap 'c EXAMINE INBOX' '^c ' '^c OK' | Where-Object { $_ -match '^\\* (\\d+) EXISTS' } | ForEach-Object { "IMAP $($Matches[1])" }
$imap.Client.Dispose()
`;
}

/** Two lines, because a token is longer than a POP command may be (RFC 5034 section 4). */
function fetching(server: MailHost, user: string): string {
  return `${connected('pop', server, "$null = Read-Answer $pop '^' '^\\+OK'\n$null = Send-Command $pop 'STLS' '^' '^\\+OK'\n")}${server.security === 'tls' ? "$null = Read-Answer $pop '^' '^\\+OK'\n" : ''}$null = Send-Command $pop 'AUTH XOAUTH2' '^' '^\\+'
$null = Send-Command $pop (Get-XOAuth2 ${quotePowerShell(user)}) '^' '^\\+OK'
"POP $((Send-Command $pop 'STAT' '^' '^\\+OK').Split(' ')[1])"
$pop.Client.Dispose()
`;
}

function sending(server: MailHost, user: string): string {
  const greeting = "$null = Read-Answer $smtp '^\\d+ ' '^220 '\n";
  const hello = "$null = Send-Command $smtp 'EHLO localhost' '^\\d+ ' '^250 '\n";
  return `${connected('smtp', server, `${greeting}${hello}$null = Send-Command $smtp 'STARTTLS' '^\\d+ ' '^220 '\n`)}${server.security === 'tls' ? greeting : ''}${hello}"SMTP $(Send-Command $smtp "AUTH XOAUTH2 $(Get-XOAuth2 ${quotePowerShell(user)})" '^\\d+ ' '^235 ')"
$smtp.Client.Dispose()
`;
}
