import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, quotedAsJson, sections } from './client.ts';

/** The strings of C# have JSON's escapes. */
const quoted = quotedAsJson;

/** `dotnet run mail.cs` compiles one file with the packages that it names (.NET 10, "File-based apps"). */
export const dotnet: ExportClient = {
  name: 'dotnet',
  jsonEscapes: true,
  title: '.NET, with MailKit',
  comment: '//',
  speaks: ['imap', 'pop', 'smtp'],
  notes: [
    '.NET 10 runs this file: dotnet run mail.cs. For an older one take the code into a project, without the line #:package',
    '(dotnet add package MailKit). MailKit 4.18.2 was tried.',
  ],
  render: (values) => {
    const { imap, pop, smtp } = values.hosts;
    return sections(
      `#:package MailKit@4.18.2
using System.Diagnostics;
${imap === undefined ? '' : 'using MailKit.Net.Imap;\n'}${pop === undefined ? '' : 'using MailKit.Net.Pop3;\n'}${smtp === undefined ? '' : 'using MailKit.Net.Smtp;\n'}using MailKit.Security;

// Asks mailauth for a token; do so for each sign-in.
static async Task<string> Token()
{
    var start = new ProcessStartInfo(${quoted(values.command[0] ?? '')}) { RedirectStandardOutput = true };
    foreach (var word in new[] { ${values.command.slice(1).map(quoted).join(', ')} }) start.ArgumentList.Add(word);
    using var process = Process.Start(start)!;
    var token = await process.StandardOutput.ReadToEndAsync();
    await process.WaitForExitAsync();
    if (process.ExitCode != 0) throw new InvalidOperationException($"mailauth ended with {process.ExitCode}");
    return token.Trim();
}
`,
      imap && signIn('imap', imap, values),
      pop && signIn('pop', pop, values),
      smtp && signIn('smtp', smtp, values),
    );
  },
};

const clients: Readonly<Record<Protocol, { readonly type: string; readonly proof: string }>> = {
  imap: {
    type: 'ImapClient',
    proof: 'await imap.Inbox!.OpenAsync(MailKit.FolderAccess.ReadOnly);\nConsole.WriteLine($"IMAP {imap.Inbox.Count}");',
  },
  pop: { type: 'Pop3Client', proof: 'Console.WriteLine($"POP {pop.Count}");' },
  smtp: { type: 'SmtpClient', proof: '// await smtp.SendAsync(message);\nConsole.WriteLine($"SMTP {smtp.IsAuthenticated}");' },
};

function signIn(protocol: Protocol, { host, port, security }: MailHost, { users }: ExportValues): string {
  const { type, proof } = clients[protocol];
  return `using var ${protocol} = new ${type}();
await ${protocol}.ConnectAsync(${quoted(host)}, ${port}, SecureSocketOptions.${security === 'tls' ? 'SslOnConnect' : 'StartTls'});
await ${protocol}.AuthenticateAsync(new SaslMechanismOAuth2(${quoted(protocol === 'smtp' ? users.send : users.read)}, await Token()));
${proof}
await ${protocol}.DisconnectAsync(true);
`;
}
