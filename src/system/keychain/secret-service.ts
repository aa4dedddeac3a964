import { isUtf8 } from 'node:buffer';
import type { Env } from '../../core/context.ts';
import { type AskingPerson, KeychainFailure, severalEntries } from '../../core/keychain-port.ts';
import { type Bus, connectBus } from './bus.ts';
import { BusyBus, failureOf, isGone, isLocked, isLost, isSessionLost } from './bus-errors.ts';
import { createItem, deleteItem, type EntryName, getSecret, searchItems, setSecret } from './secret-calls.ts';
import { type SecretProvider, secretProvider } from './secret-provider.ts';
import { openSession, type SecretSession } from './secret-session.ts';
import { agree, openCollection, openLocked, type Talk } from './secret-unlock.ts';

type Person = AskingPerson | undefined;

/**
 * The Secret Service of the session (GNOME Keyring, KWallet, KeePassXC), spoken to over D-Bus. All calls of one process go over one
 * connection, because KeePassXC gives its entries to a connection and not to a program. Failures are `KeychainFailure`. One call at a time.
 */
export interface SecretService {
  /** null when the entry does not exist */
  read(name: EntryName, person: Person): Promise<string | null>;
  write(name: EntryName, secret: string, person: Person): Promise<void>;
  /** false when the entry did not exist */
  remove(name: EntryName, person: Person): Promise<boolean>;
  close(): void;
}

/** What is open while the process runs. */
interface Open {
  readonly bus: Bus;
  isUsed: boolean;
  session: Promise<SecretSession> | undefined;
  provider: Promise<SecretProvider | undefined> | undefined;
}

/** How often an entry is looked for: it may be deleted, replaced or locked between search and use. */
const searches = 3;

/** `limitMs`: how long an answer to one call is waited for. */
export function secretService(env: Env, limitMs: number): SecretService {
  let current: Open | undefined;

  const close = (): void => {
    current?.bus.close();
    current = undefined;
  };

  const connected = async (): Promise<Open> => {
    if (current?.bus.isOpen !== true) {
      current = { bus: await connectBus(env, limitMs), isUsed: false, session: undefined, provider: undefined };
    }
    return current;
  };

  const attempt = async <T>(person: Person, act: (conversation: Conversation) => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      const opened = await connected();
      const wasUsed = opened.isUsed;
      opened.isUsed = true;
      const conversation = conversationOn(opened, limitMs, person);
      const look = setTimeout(() => void endIfStopped(conversation), Math.min(stoppedAfterMs, limitMs / 2));
      try {
        return await act(conversation);
      } catch (error) {
        // A service that was started anew knows no session of before.
        const isStale = isSessionLost(error) || (wasUsed && isLost(error));
        if (!isStale || tries > 1) throw error instanceof BusyBus ? await busyOf(conversation, error) : error;
        close();
      } finally {
        clearTimeout(look);
      }
    }
  };

  const talk = async <T>(person: Person, act: (conversation: Conversation) => Promise<T>): Promise<T> => {
    try {
      return await attempt(person, act);
    } catch (error) {
      const failure = failureOf(error);
      // The late answer must not meet the next call.
      if (failure.trouble === 'busy' || failure.trouble === 'hung') close();
      throw failure;
    }
  };

  return {
    read: (name, person) => talk(person, (conversation) => readEntry(conversation, name)),
    write: (name, secret, person) => talk(person, (conversation) => writeEntry(conversation, name, secret)),
    remove: (name, person) => talk(person, (conversation) => removeEntry(conversation, name)),
    close,
  };
}

/** One call of mailauth on the connection. */
interface Conversation extends Talk {
  session(): Promise<SecretSession>;
}

function conversationOn(opened: Open, limitMs: number, person: Person): Conversation {
  const { bus } = opened;
  return {
    bus,
    limitMs,
    person,
    session() {
      opened.session ??= openSession(bus, limitMs);
      // It is awaited later, or never when another call failed first: then its rejection must not end the process.
      opened.session.catch(() => {
        opened.session = undefined;
      });
      return opened.session;
    },
    provider() {
      opened.provider ??= secretProvider({ bus, limitMs });
      return opened.provider;
    },
  };
}

/** After this time of silence mailauth looks whether the service can answer at all. */
const stoppedAfterMs = 2_000;

/** A service that was stopped is not waited for. */
async function endIfStopped(conversation: Conversation): Promise<void> {
  const provider = await secretProvider(conversation);
  if (provider?.isStopped !== true) return;
  const { name, pid, process } = provider;
  conversation.bus.close(new KeychainFailure('hung', `its process ${process} is stopped`, { provider: name, pid }));
}

async function busyOf(conversation: Conversation, error: BusyBus): Promise<KeychainFailure> {
  const provider = conversation.bus.isOpen ? await conversation.provider() : undefined;
  return new KeychainFailure('busy', error.message, { provider: provider?.name, cause: error });
}

async function readEntry(conversation: Conversation, name: EntryName): Promise<string | null> {
  // Both go out together. The service is not asked for an entry before its collection is open: KeePassXC would open a window.
  const collection = openCollection(conversation);
  const session = conversation.session();
  await collection;
  const secret = await onEntry(conversation, name, async (item) => {
    const { path, decrypt } = await session;
    const { parameters, value } = await getSecret(conversation, item, path);
    return decrypt(parameters, value);
  });
  if (secret === undefined) return null;
  if (!isUtf8(secret)) throw new KeychainFailure('damaged', 'it is not text');
  return secret.toString();
}

async function writeEntry(conversation: Conversation, name: EntryName, text: string): Promise<void> {
  const collection = await openCollection(conversation);
  const session = await conversation.session();
  const secret = () => ({ session: session.path, ...session.encrypt(Buffer.from(text)), contentType: 'text/plain' });
  const replaced = await onEntry(conversation, name, async (item) => {
    await setSecret(conversation, item, secret());
    return true;
  });
  if (replaced === true) return;
  await agree(conversation, await createItem(conversation, collection, name, secret()), 'whether mailauth may add an entry');
}

async function removeEntry(conversation: Conversation, name: EntryName): Promise<boolean> {
  await openCollection(conversation);
  const removed = await onEntry(
    conversation,
    name,
    async (item) => {
      await agree(conversation, await deleteItem(conversation, item), 'whether mailauth may delete its entry');
      return true;
    },
    // KeePassXC deletes an entry that it would not show without a question.
    (found) => found.unlocked[0] ?? found.locked[0],
  );
  return removed === true;
}

type Found = Awaited<ReturnType<typeof searchItems>>;

/** Uses the one entry of this name. Undefined when there is none; throws `KeychainFailure` 'damaged' when there are several. */
async function onEntry<T>(
  conversation: Conversation,
  name: EntryName,
  use: (item: string) => Promise<T>,
  choose: (found: Found) => string | undefined = (found) => found.unlocked[0],
): Promise<T | undefined> {
  for (let tries = 1; tries <= searches; tries += 1) {
    const found = await searchItems(conversation, name);
    const { length } = found.unlocked.length > 0 ? found.unlocked : found.locked;
    if (length === 0) return undefined;
    if (length > 1) throw new KeychainFailure('damaged', severalEntries);
    const item = choose(found);
    try {
      if (item !== undefined) return await use(item);
      await openLocked(conversation, found.locked, 'entry');
    } catch (error) {
      if (isLocked(error) && item !== undefined) await openLocked(conversation, [item], 'entry');
      else if (!isGone(error)) throw error;
    }
  }
  throw new KeychainFailure('other', 'the entry changes again and again while it is used');
}
