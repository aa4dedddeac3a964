import type { Bus } from './bus.ts';
import type { MethodCall, WireSecret } from './dbus-call.ts';
import { BadMessage, type Value } from './dbus-reply.ts';

/** The calls of the Secret Service API 0.2 that mailauth makes (specifications.freedesktop.org/secret-service-spec), each with its answer checked. */

/** The attributes by which an entry is found. They are those of the package @napi-rs/keyring, which wrote the entries of the first edition. */
export interface EntryName {
  readonly service: string;
  readonly username: string;
}

/** An object path of the bus. `/` stands for none. */
type Path = string;

export const noObject: Path = '/';

const destination = 'org.freedesktop.secrets';

export const onService = { destination, path: '/org/freedesktop/secrets', interface: 'org.freedesktop.Secret.Service' } as const;
const onItem = { destination, interface: 'org.freedesktop.Secret.Item' } as const;
const onCollection = { destination, interface: 'org.freedesktop.Secret.Collection' } as const;
const onPrompt = { destination, interface: 'org.freedesktop.Secret.Prompt' } as const;

/** Calls on one bus, each with the same limit. */
export interface Line {
  readonly bus: Bus;
  readonly limitMs: number;
}

const call = ({ bus, limitMs }: Line, method: MethodCall) => bus.call(method, limitMs);

/** D-Bus Specification, "Valid Object Paths". The bus ends a connection that sends any other. */
function pathIn(value: Value | undefined): Path {
  if (typeof value === 'string' && /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/.test(value)) return value;
  throw new BadMessage('something else than the path of an object');
}

function pathsIn(value: Value | undefined): readonly Path[] {
  if (!Array.isArray(value)) throw new BadMessage('no list of objects');
  return value.map(pathIn);
}

/** The default collection; `/` where there is none. */
export async function readDefaultAlias(line: Line): Promise<Path> {
  const [path] = await call(line, { ...onService, member: 'ReadAlias', args: [{ type: 's', value: 'default' }] });
  return pathIn(path);
}

export async function isCollectionLocked(line: Line, collection: Path): Promise<boolean> {
  const [locked] = await call(line, {
    destination,
    path: collection,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    args: [
      { type: 's', value: onCollection.interface },
      { type: 's', value: 'Locked' },
    ],
  });
  if (typeof locked !== 'boolean') throw new BadMessage('neither yes nor no to whether the keyring is locked');
  return locked;
}

/** The prompt that has to be run first; `/` where everything is open. */
export async function unlock(line: Line, objects: readonly Path[]): Promise<Path> {
  const [, prompt] = await call(line, { ...onService, member: 'Unlock', args: [{ type: 'ao', value: objects }] });
  return pathIn(prompt);
}

export interface FoundItems {
  readonly unlocked: readonly Path[];
  readonly locked: readonly Path[];
}

export async function searchItems(line: Line, name: EntryName): Promise<FoundItems> {
  const [unlocked, locked] = await call(line, { ...onService, member: 'SearchItems', args: [{ type: 'a{ss}', value: { ...name } }] });
  return { unlocked: pathsIn(unlocked), locked: pathsIn(locked) };
}

export async function getSecret(line: Line, item: Path, session: Path): Promise<{ readonly parameters: Buffer; readonly value: Buffer }> {
  const [secret] = await call(line, { ...onItem, path: item, member: 'GetSecret', args: [{ type: 'o', value: session }] });
  // The struct `Secret` (Secret Service API, "Data Types"): session, parameters, value, content type.
  const [, parameters, value] = Array.isArray(secret) ? secret : [];
  if (!Buffer.isBuffer(parameters) || !Buffer.isBuffer(value)) throw new BadMessage('a secret without its value');
  return { parameters, value };
}

export async function setSecret(line: Line, item: Path, secret: WireSecret): Promise<void> {
  await call(line, { ...onItem, path: item, member: 'SetSecret', args: [{ type: '(oayays)', value: secret }] });
}

/** A new entry, or another secret for the one that has these attributes. Answers the prompt that has to be run first, or `/`. */
export async function createItem(line: Line, collection: Path, name: EntryName, secret: WireSecret): Promise<Path> {
  const [, prompt] = await call(line, {
    ...onCollection,
    path: collection,
    member: 'CreateItem',
    args: [
      {
        type: 'a{sv}',
        value: {
          [`${onItem.interface}.Label`]: `keyring:${name.username}@${name.service}`,
          [`${onItem.interface}.Attributes`]: { ...name },
        },
      },
      { type: '(oayays)', value: secret },
      { type: 'b', value: true },
    ],
  });
  return pathIn(prompt);
}

/** Answers the prompt that has to be run first, or `/`. */
export async function deleteItem(line: Line, item: Path): Promise<Path> {
  const [prompt] = await call(line, { ...onItem, path: item, member: 'Delete', args: [] });
  return pathIn(prompt);
}

/** How a prompt ended: `late` is one that was still open at its limit. */
export type PromptEnd = 'done' | 'dismissed' | 'late';

/** Runs a prompt, and dismisses it when it is still open after `limitMs`. */
export async function runPrompt(line: Line, prompt: Path, limitMs: number): Promise<PromptEnd> {
  const { bus } = line;
  // KeePassXC sends the signal to everybody who listens, so the bus must know that we do.
  const rule = `type='signal',interface='${onPrompt.interface}',member='Completed',path='${prompt}'`;
  await call(line, {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'AddMatch',
    args: [{ type: 's', value: rule }],
  });
  const completed: Promise<PromptEnd> = bus.completed(prompt, limitMs).then(
    (dismissed) => (dismissed ? 'dismissed' : 'done'),
    (error: unknown) => {
      if (!bus.isOpen) throw error;
      return 'late';
    },
  );
  completed.catch(() => undefined);
  await call(line, { ...onPrompt, path: prompt, member: 'Prompt', args: [{ type: 's', value: '' }] });
  const end = await completed;
  if (end === 'late') dismiss(line, prompt);
  return end;
}

/** Closes a prompt that nobody will answer. What comes of it does not matter. */
export function dismiss(line: Line, prompt: Path): void {
  call(line, { ...onPrompt, path: prompt, member: 'Dismiss', args: [] }).catch(() => undefined);
}
