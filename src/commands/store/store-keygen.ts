import { resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { diskReason } from '../../store/home.ts';
import { keyLength } from '../../store/key-source.ts';

export const storeKeygen: CommandModule = {
  configure: (command) =>
    examples(command.argument('<file>', 'name of the new key file'), [
      'mailauth store keygen /etc/mailauth/key     32 random bytes, mode 0600',
      'export MAILAUTH_KEY_FILE=/etc/mailauth/key MAILAUTH_STORE=file',
    ]),

  async run({ args }, { ctx }) {
    const file = resolve(args[0] ?? '');
    if (!(await create(ctx, file))) throw problem('key-file-exists', { file: plain(file) });
    return {
      data: { file, bytes: keyLength },
      text: `Made ${plain(file)}. Keep a copy of it somewhere else: without it nobody can open the sealed file.\n`,
    };
  },
};

/** The key file is wherever the operator says, and not under MAILAUTH_HOME. Throws `key-file-not-made`. */
async function create({ files, random }: Pick<Context, 'files' | 'random'>, file: string): Promise<boolean> {
  try {
    return await files.create(file, random.bytes(keyLength));
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('key-file-not-made', { file: plain(file), why }, { cause: error });
  }
}
