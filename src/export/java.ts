import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, quotedAsJson, sections } from './client.ts';

/** The strings of Java have JSON's escapes. */
const quoted = quotedAsJson;

/**
 * Jakarta Mail 2.0 became Eclipse Angus; packages, classes and properties that are used here have the same names in both. A POP server of
 * Exchange Online wants AUTH in two lines.
 */
export const java: ExportClient = {
  name: 'java',
  jsonEscapes: true,
  title: 'Java, with Angus Mail (Jakarta Mail)',
  comment: '//',
  speaks: ['imap', 'pop', 'smtp'],
  notes: ({ onWindows }) => [
    `Java 11 or newer runs this file: java -cp "${['angus-mail.jar', 'angus-activation.jar', 'jakarta.activation-api.jar'].join(onWindows ? ';' : ':')}" Mail.java`,
    'Tried with Jakarta Mail 2.0.0 of Debian, which became Angus Mail and has the same names; not run with Angus itself:',
    'java -cp /usr/share/java/jakarta-mail.jar:/usr/share/java/jakarta-activation.jar Mail.java',
  ],
  render: (values) => {
    const { imap, pop, smtp } = values.hosts;
    return `import jakarta.mail.Folder;
import jakarta.mail.Session;
import jakarta.mail.Store;
import jakarta.mail.Transport;
import java.util.List;
import java.util.Properties;

class Mail {
    /** Asks mailauth for a token; do so for each sign-in. */
    static String token() throws Exception {
        Process process = new ProcessBuilder(List.of(${values.command.map(quoted).join(', ')}))
            .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String token = new String(process.getInputStream().readAllBytes()).trim();
        if (process.waitFor() != 0) throw new IllegalStateException("mailauth ended with " + process.exitValue());
        return token;
    }

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
${sections(imap && settings('imap', imap), pop && settings('pop', pop), smtp && settings('smtp', smtp))}
        Session session = Session.getInstance(p);
${sections(imap && reading('imap', values), pop && reading('pop', values), smtp && sending(values))}    }
}
`;
  },
};

const nameOf: Readonly<Record<Protocol, string>> = { imap: 'imap', pop: 'pop3', smtp: 'smtp' };

function settings(protocol: Protocol, { host, port, security }: MailHost): string {
  const pairs: readonly (readonly [string, string])[] = [
    ['host', host],
    ['port', String(port)],
    security === 'tls' ? ['ssl.enable', 'true'] : ['starttls.enable', 'true'],
    ...(security === 'starttls' ? [['starttls.required', 'true'] as const] : []),
    ['ssl.checkserveridentity', 'true'],
    ['auth.mechanisms', 'XOAUTH2'],
    ...(protocol === 'pop' ? [['auth.xoauth2.two.line.authentication.format', 'true'] as const] : []),
    ...(protocol === 'smtp' ? [['auth', 'true'] as const] : []),
  ];
  return pairs.map(([name, value]) => `        p.put("mail.${nameOf[protocol]}.${name}", ${quoted(value)});\n`).join('');
}

function reading(protocol: 'imap' | 'pop', { users }: ExportValues): string {
  return `        try (Store store = session.getStore("${nameOf[protocol]}")) {
            store.connect(${quoted(users.read)}, token());
            Folder inbox = store.getFolder("INBOX");
            inbox.open(Folder.READ_ONLY);
            System.out.println("${protocol.toUpperCase()} " + inbox.getMessageCount());
        }
`;
}

function sending({ users }: ExportValues): string {
  return `        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(${quoted(users.send)}, token());
            // transport.sendMessage(message, message.getAllRecipients());
            System.out.println("SMTP " + transport.isConnected());
        }
`;
}
