import type { ExportClient, ExportValues } from './client.ts';
import { getmail, mbsync, offlineimap } from './mail-copies.ts';
import { aerc, msmtp, mutt } from './mail-programs.ts';
import { curl, python } from './scripts.ts';

/** Every program that `mailauth export` knows. A new one is its entry in a file beside these and a line here. */
export const exportClients: readonly ExportClient[] = [
  curl,
  msmtp,
  mutt,
  { ...mutt, name: 'neomutt' },
  mbsync,
  getmail,
  offlineimap,
  aerc,
  python,
];

/** The whole text: first a comment that says where to put it, then the configuration. */
export function exportText(client: ExportClient, values: ExportValues): string {
  const comment = [`${client.title} for ${values.mailbox}, made by mailauth. No secret is in here.`, ...client.notes];
  return `${comment.map((line) => `# ${line}`).join('\n')}\n\n${client.render(values)}`;
}
