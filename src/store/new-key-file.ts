import type { Context } from '../core/context.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason } from './home.ts';
import { keyLength } from './key-source.ts';
import { closeFile } from './windows-access.ts';

type Ports = Pick<Context, 'files' | 'random' | 'platform' | 'windowsProgram' | 'env'>;

/**
 * Makes a key file that only this user can read; false: such a file is there already, and it is left as it is. Throws `key-file-not-made`, and
 * `key-file-not-closed` where Windows cannot keep others away from it.
 */
export async function makeKeyFile(file: string, ctx: Ports): Promise<boolean> {
  const key = ctx.random.bytes(keyLength);
  try {
    return await (ctx.platform === 'win32' ? makeClosed(file, key, ctx) : ctx.files.create(file, key));
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('key-file-not-made', { file: plain(file), why }, { cause: error });
  }
}

/** A new file of Windows inherits who can read it from its folder. So the key is written only when the empty file is closed to others. */
async function makeClosed(file: string, key: Uint8Array, ctx: Ports): Promise<boolean> {
  const { files } = ctx;
  if (!(await files.create(file, new Uint8Array()))) return false;
  try {
    const code = await closeFile(file, ctx);
    if (code !== 0) throw problem('key-file-not-closed', { file: plain(file), exit: code ?? 127 });
    await files.append(file, key);
    return true;
  } catch (error) {
    await files.remove(file);
    throw error;
  }
}
