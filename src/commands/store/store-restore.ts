import type { GuardedFile } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import { mailauth } from '../../core/next.ts';
import { plain } from '../../core/text.ts';
import { timeInFileName } from '../../core/time.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { openSealed, readSealed, sealedCopy, sealedFile } from '../../store/file-store.ts';
import { guardWrites, readHomeFile } from '../../store/home.ts';
import { keySource } from '../../store/key-source.ts';
import { decodeEntries } from '../../store/sealed-file.ts';

const lockWaitMs = 30_000;

/** The one command that opens the kept copy. Throws `sealed-copy-missing`, `needs-yes`, `sealed-copy-damaged`, and what opening the copy throws. */
export const storeRestore: CommandModule = {
  configure: (command) => examples(command, ['mailauth store restore     the damaged file is kept beside it']),

  async run(_, session) {
    const { ctx, home } = session;
    const [path, copyPath] = [sealedFile(home), sealedCopy(home)];
    const recorded = (await readHomeFile(ctx.files, home))?.keyFile;
    const key = keySource({ ctx, canAsk: canAsk(session), recorded });
    const trouble = await troubleOf({ ctx, key }, path);
    if (trouble === undefined) return { data: { restored: false, file: path }, text: `${plain(path)} is whole: nothing to restore.\n` };
    const copy = await readSealed({ ctx }, copyPath);
    if (copy === undefined) throw problem('sealed-copy-missing', { file: plain(copyPath) });
    const secrets = await secretsIn({ key }, copy, home);
    await agree(session, secrets, trouble);
    const kept = await guardWrites(home, () => replace(session, copy.bytes));
    return {
      data: { restored: true, file: path, secrets, ...defined({ damaged: kept }) },
      text: `Restored ${plain(path)} with ${secrets} secrets.\n${kept === undefined ? '' : `The damaged file is kept as ${plain(kept)}; delete it when all works.\n`}`,
    };
  },
};

/** How many secrets the copy holds. Where the copy is damaged as well, this command cannot help, so the error does not name it again. */
async function secretsIn(open: Parameters<typeof openSealed>[0], copy: GuardedFile, home: string): Promise<number> {
  try {
    return decodeEntries((await openSealed(open, sealedCopy(home), copy)).body).size;
  } catch (error) {
    if (!(error instanceof MailauthError) || error.code !== 'sealed-file-damaged') throw error;
    throw problem('sealed-copy-damaged', { file: plain(sealedFile(home)), why: error.why ?? error.title }, { cause: error });
  }
}

type Open = Parameters<typeof openSealed>[0] & Parameters<typeof readSealed>[0];

/** Why the sealed file cannot be used, undefined when it can. What only its owner can put right (its mode, the key) is thrown. */
async function troubleOf(open: Open, path: string): Promise<string | undefined> {
  const file = await readSealed(open, path);
  if (file === undefined) return 'it is gone';
  try {
    decodeEntries((await openSealed(open, path, file)).body);
    return undefined;
  } catch (error) {
    const replaceable = error instanceof MailauthError && (error.code === 'sealed-file-damaged' || error.code === 'sealed-key-wrong');
    if (!replaceable) throw error;
    return error.why ?? error.title;
  }
}

async function agree(session: Session, secrets: number, trouble: string): Promise<void> {
  if (session.globals.yes) return;
  const question = `Take the kept copy with ${secrets} secrets in its place?`;
  if (!canAsk(session)) throw problem('needs-yes', { what: 'Taking the kept copy', command: mailauth('store restore', { yes: true }) });
  session.report.note(`The sealed file: ${trouble}`);
  if (!(await session.ctx.prompts.confirm({ message: question, default: false }))) throw problem('restore-declined', {});
}

/** The damaged file is kept under another name, which is answered. */
async function replace({ ctx, home }: Session, bytes: Uint8Array): Promise<string | undefined> {
  const path = sealedFile(home);
  const release = await ctx.files.lock(`${path}.lock`, lockWaitMs);
  if (release === undefined) throw problem('store-busy', { what: plain(path) });
  try {
    const damaged = await readSealed({ ctx }, path);
    const kept = `${path}.damaged-${timeInFileName(ctx.clock.now())}`;
    if (damaged !== undefined) await ctx.files.writeAtomic(kept, damaged.bytes);
    await ctx.files.writeAtomic(path, bytes);
    return damaged === undefined ? undefined : kept;
  } finally {
    await release();
  }
}
