import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, posixWord, sections, serverUrl, shellLine } from './client.ts';

/**
 * curl takes the token from a configuration file (`-K`) that is a file descriptor, so that it stands in no argument list.
 * `printf` is a builtin of bash, so its arguments are not visible in the list of processes either.
 */
export const curl: ExportClient = {
  name: 'curl',
  title: 'curl',
  speaks: ['imap', 'pop', 'smtp'],
  notes: ['curl 7.61 or newer, in bash. The token goes through a file descriptor, never through an argument list.'],
  render: (values) => {
    const { imap, pop, smtp } = values.hosts;
    return sections(
      `bearer() { local token; token=$(${shellLine(values)}) && printf 'oauth2-bearer = "%s"\\n' "$token"; }\n`,
      imap && `# the folders of the mailbox\n${call('imap', imap, values)} --url ${posixWord(`${serverUrl('imap', imap)}/`)}\n`,
      pop && `# its messages, by POP\n${call('pop', pop, values)} --url ${posixWord(`${serverUrl('pop', pop)}/`)}\n`,
      smtp &&
        `# send the file message.eml\n${call('smtp', smtp, values)} --url ${posixWord(serverUrl('smtp', smtp))} \\\n  --mail-from ${posixWord(values.mailbox)} --mail-rcpt someone@example.com --upload-file message.eml\n`,
    );
  },
};

function call(protocol: Protocol, { security }: MailHost, { users }: ExportValues): string {
  const tls = security === 'starttls' ? ' --ssl-reqd' : '';
  return `curl --silent --show-error${tls} --user ${posixWord(`${protocol === 'smtp' ? users.send : users.read}:`)} --config <(bearer)`;
}
