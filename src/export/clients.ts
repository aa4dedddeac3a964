import { aerc } from './aerc.ts';
import type { ExportClient, ExportValues } from './client.ts';
import { curl } from './curl.ts';
import { getmail } from './getmail.ts';
import { mbsync } from './mbsync.ts';
import { msmtp } from './msmtp.ts';
import { mutt } from './mutt.ts';
import { offlineimap } from './offlineimap.ts';
import { python } from './python.ts';

/** Every program that `mailauth export` knows. A new one is a file beside these and a line here. */
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
