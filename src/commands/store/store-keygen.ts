import { resolve } from 'node:path';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { refuseUnexpanded } from '../../session/unexpanded-path.ts';
import { keyLength } from '../../store/key-source.ts';
import { makeKeyFile } from '../../store/new-key-file.ts';

export const storeKeygen: CommandModule = {
  configure: (command) =>
    examples(command.argument('<file>', 'name of the new key file'), [
      'mailauth store keygen /etc/mailauth/key     32 random bytes that nobody else can read',
      'mailauth setup --store file --key-file /etc/mailauth/key',
    ]),

  async run({ args }, { ctx }) {
    // cmd and Windows PowerShell 5.1 put nothing in place of `~`.
    refuseUnexpanded({ '<file>': args[0] }, ctx.env);
    const file = resolve(args[0] ?? '');
    if (!(await makeKeyFile(file, ctx))) throw problem('key-file-exists', { file: plain(file) });
    const readers = ctx.platform === 'win32' ? ' Only you, SYSTEM and the administrators can read it (icacls).' : '';
    return {
      data: { file, bytes: keyLength },
      text: `Made ${plain(file)}.${readers} Keep a copy of it somewhere else: without it nobody can open the sealed file.\n`,
    };
  },
};
