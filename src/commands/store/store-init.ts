import { mailauth, noted } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { schemaVersion } from '../../database/schema.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';

/** Makes the schema `mailauth` in the database of MAILAUTH_DATABASE_URL, or brings it to this version. A second run changes nothing. */
export const storeInit: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth store init        once, as a role that may make a schema',
      'MAILAUTH_DATABASE_URL_FILE=/etc/mailauth/database mailauth store init',
    ]),

  async run(_, session) {
    session.report.busy('store', 'Preparing the database');
    const { where, from, to } = await session.storeInit();
    if (from > schemaVersion) throw problem('database-schema-newer', { where });
    const next = allShown([noted(mailauth('setup', { store: 'postgres' }), 'or store move postgres')], session.ctx.surroundings);
    const did = from === 0 ? 'made' : from < to ? `brought from version ${from} to ${to}` : `of version ${to} already`;
    return {
      data: { database: where, schema: 'mailauth', version: to, from, changed: from < to, next },
      text: `The schema "mailauth" in ${where} is ${did}.\n${next.map((line) => `  next: ${line}\n`).join('')}`,
    };
  },
};
