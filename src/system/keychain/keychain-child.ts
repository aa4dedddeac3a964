import * as z from 'zod/mini';
import { openEntry } from './keychain-binding.ts';

/**
 * The process that touches the keychain for writing, forked by keychain-process.ts. A keychain call can block for
 * ever, and then only SIGKILL ends its process: so it is this one and not mailauth. Secrets come over IPC only.
 */
const request = z.object({
  id: z.number(),
  service: z.string(),
  account: z.string(),
  /** null: delete the entry */
  password: z.nullable(z.string()),
});

async function answer(message: unknown): Promise<void> {
  const { id, service, account, password } = request.parse(message);
  try {
    const entry = openEntry(service, account);
    const done = password === null ? await entry.deletePassword() : await entry.setPassword(password).then(() => true);
    process.send?.({ id, done });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', (message) => void answer(message));
// The parent is gone. process.exit would wait for a blocked call.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A signal may reach the whole process group; the parent finishes or undoes its step and then ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
