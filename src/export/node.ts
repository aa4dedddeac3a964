import { line } from '../core/next.ts';
import { inTurn, setVariable } from '../core/shell-lines.ts';
import { shown } from '../core/shown.ts';
import { type ExportClient, type ExportValues, posixWord, quotedAsJson, sections } from './client.ts';

/** The library of this package, in the program itself: no command is run, and nodemailer gets new tokens by itself. */
export const node: ExportClient = {
  name: 'node',
  jsonEscapes: true,
  title: 'Node.js, with nodemailer and imapflow',
  comment: '//',
  speaks: ['imap', 'smtp'],
  withoutAgent: 'imports the library, which needs no agent',
  notes: [
    'Node.js 20.19 or newer: save it as mail.mjs, npm install nodemailer imapflow, and give it a recipient to try sending.',
    'nodemailer 10 and imapflow 2 were tried. docs/library.md has the rest of the library.',
  ],
  render: (values) => {
    const { mailbox, library } = values;
    const { imap, smtp } = values.hosts;
    const meant = [mailbox, ...(library.product === undefined ? [] : [{ for: library.product }])]
      .map((one) => JSON.stringify(one))
      .join(', ');
    return sections(
      `${startLine(values)}${imap === undefined ? '' : "import { ImapFlow } from 'imapflow';\n"}${smtp === undefined ? '' : "import nodemailer from 'nodemailer';\n"}import { openMailauth } from ${quotedAsJson(library.url)};
`,
      `${library.variables.map(([name, value]) => `process.env.${name} = ${quotedAsJson(value)};\n`).join('')}const mailauth = await openMailauth(${library.sandbox ? '{ sandbox: true }' : ''});
`,
      imap &&
        `// One connection. Ask for new options when you connect anew.
const imap = new ImapFlow(await mailauth.imapflow(${meant}));
await imap.connect();
const { messages } = await imap.status('INBOX', { messages: true });
console.log('IMAP', messages);
await imap.logout();
`,
      smtp &&
        `// One transport for the whole program: it fetches new tokens by itself.
const transport = nodemailer.createTransport(await mailauth.nodemailer(${meant}));
const [, , recipient] = process.argv;
if (recipient) {
  const sent = await transport.sendMail({ from: ${quotedAsJson(mailbox)}, to: recipient, subject: 'Sent by nodemailer', text: 'Hello.' });
  console.log('SMTP', sent.messageId);
}
transport.close();
`,
      'await mailauth.close();\n',
    );
  },
};

/** Node reads these variables before the first line of a program. */
function startLine({ atStart = [], shell, onWindows }: ExportValues): string {
  if (atStart.length === 0) return '';
  const elsewhere = inTurn(...atStart.map(([name, value]) => setVariable(name, value)), line`node mail.mjs`);
  const words = atStart.map(([name, value]) => `${name}=${posixWord(value)}`).join(' ');
  return `// Start it so: ${shell === 'posix' ? `${words} node mail.mjs` : shown(elsewhere, { shell, onWindows })}\n`;
}
