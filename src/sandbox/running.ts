import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import { toJsonFile } from '../store/schemas.ts';
import type { Folder } from './tenant/folder.ts';

const port = z.number().check(z.int(), z.minimum(1), z.maximum(65_535));
const schema = z.object({ pid: z.number(), nonce: z.string(), pages: port, login: port, imap: port, pop: port, smtp: port });

/** What a running `mailauth sandbox` leaves in the folder, so that other commands can join it. */
export type Running = z.infer<typeof schema>;

const pingSchema = z.object({ sandbox: z.literal('mailauth'), nonce: z.string(), seen: z.number() });
const fileName = 'running.json';
/** The port of a sandbox that has ended refuses at once. A sandbox on a busy computer needs a while. */
const pingTimeoutMs = 5_000;

export async function announce(folder: Folder, running: Running): Promise<void> {
  await folder.locked(() => folder.files.writeAtomic(folder.file(fileName), toJsonFile(running)));
}

/** Takes the announcement back, unless another sandbox has announced itself since. */
export async function withdraw(folder: Folder, nonce: string): Promise<void> {
  await folder.locked(async () => {
    if ((await readRunning(folder))?.nonce === nonce) await folder.files.remove(folder.file(fileName));
  });
}

/** The sandbox that `running.json` names. It may have ended since. */
export async function readRunning(folder: Folder): Promise<Running | undefined> {
  const text = await folder.files.read(folder.file(fileName));
  if (text === undefined) return undefined;
  try {
    const read = schema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks the announced sandbox whether it still runs. Its certificate must come from our own authority, so that no other program on that
 * port can answer.
 * @returns how often its first pages were fetched, or undefined when it has ended
 */
export async function ping(network: Context['network'], running: Running): Promise<number | undefined> {
  try {
    const url = `https://localhost:${running.login}/sandbox/ping`;
    const response = await network.request({ method: 'GET', url, timeoutMs: pingTimeoutMs });
    const read = pingSchema.safeParse(JSON.parse(response.text));
    return read.success && read.data.nonce === running.nonce ? read.data.seen : undefined;
  } catch {
    return undefined;
  }
}
