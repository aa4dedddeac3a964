import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { decodeText } from '../core/text.ts';

type Ports = Pick<Context, 'windowsProgram' | 'files' | 'random' | 'env'>;

/** SYSTEM and Administrators, who can read every file of Windows anyway (Microsoft, "Well-known SIDs"). */
const keepers = ['S-1-5-18', 'S-1-5-32-544'] as const;

/** Groups that hold more than one person, by their letters in SDDL (Microsoft, "SID Strings") and by their SID. Their names are translated. */
const groups: readonly (readonly [name: string, sid: string, letters: string])[] = [
  ['Everyone', 'S-1-1-0', 'WD'],
  ['Users', 'S-1-5-32-545', 'BU'],
  ['Authenticated Users', 'S-1-5-11', 'AU'],
  ['INTERACTIVE', 'S-1-5-4', 'IU'],
  ['Guests', 'S-1-5-32-546', 'BG'],
  ['ANONYMOUS LOGON', 'S-1-5-7', 'AN'],
];
const domainUsers = /^(DU|S-1-5-21-[\d-]+-513)$/;

export interface Group {
  readonly name: string;
  readonly sid: string;
}

/** Who beside this user, SYSTEM and the administrators gets at a file or folder. `unknown`: its list cannot be read. */
export type WindowsAccess =
  | { readonly kind: 'private' }
  | { readonly kind: 'open'; readonly groups: readonly Group[]; readonly change: boolean }
  | { readonly kind: 'unknown' };

/** The SID of the user; undefined where Windows does not tell it. */
export async function ownSid({ windowsProgram }: Pick<Ports, 'windowsProgram'>): Promise<string | undefined> {
  return /\bS-1-[\d-]+/.exec((await windowsProgram('whoami', ['/user', '/fo', 'csv', '/nh'])).text)?.[0];
}

/** What icacls is told so that only this user, SYSTEM and the administrators get at a file, and, where it is a folder, at what is in it. */
export function closingArguments(
  path: string,
  user: string,
  o: { readonly folder: boolean; readonly groups?: readonly Group[] },
): string[] {
  const right = o.folder ? ':(OI)(CI)F' : ':F';
  const removed = (o.groups ?? []).map(({ sid }) => `*${sid}`);
  const granted = [...keepers.map((sid) => `*${sid}`), user].map((who) => who + right);
  return [path, '/inheritance:r', ...(removed.length === 0 ? [] : ['/remove:g', ...removed]), '/grant:r', ...granted];
}

/** As icacls takes this user: by the SID, else by the name. */
export async function ownAccount(ctx: Pick<Ports, 'windowsProgram' | 'env'>): Promise<string> {
  const sid = await ownSid(ctx);
  if (sid !== undefined) return `*${sid}`;
  const { USERDOMAIN: domain, USERNAME: name = '' } = ctx.env;
  return domain ? `${domain}\\${name}` : name;
}

/** Takes a file away from everybody but this user, SYSTEM and the administrators. The exit code of icacls; undefined: it did not start. */
export async function closeFile(path: string, ctx: Pick<Ports, 'windowsProgram' | 'env'>): Promise<number | undefined> {
  return (await ctx.windowsProgram('icacls', closingArguments(path, await ownAccount(ctx), { folder: false }))).code;
}

/** icacls writes the list of a file in SDDL, whose letters no language of Windows changes. */
export async function accessOf(path: string, folder: string, { windowsProgram, files, random }: Ports): Promise<WindowsAccess> {
  const saved = join(folder, `access-${random.bytes(6).toString('hex')}.tmp`);
  try {
    const { code } = await windowsProgram('icacls', [path, '/save', saved]);
    const file = code === 0 ? await files.readGuarded(saved) : undefined;
    // It is UTF-16 without a byte order mark.
    return file === undefined ? { kind: 'unknown' } : accessIn(decodeText(file.bytes, 'utf-16le'));
  } finally {
    await files.remove(saved);
  }
}

/** Reads the access list (DACL) of a text in SDDL (Microsoft, "Security Descriptor String Format"). */
export function accessIn(text: string): WindowsAccess {
  // A file without a list is everybody's.
  if (/D:[A-Z]*NO_ACCESS_CONTROL/.test(text)) return { kind: 'open', groups: [groupOf('WD')], change: true };
  const list = /D:[A-Z]*((?:\([^()]*\))+)/.exec(text)?.[1];
  if (list === undefined) return { kind: 'unknown' };
  const open = [...list.matchAll(/\(([^()]*)\)/g)].flatMap(([, entry = '']) => {
    const [type, flags = '', rights = '', , , who = ''] = entry.split(';');
    const group = groupOf(who);
    // `IO`: only what is made in this folder later inherits it.
    if (type !== 'A' || flags.includes('IO') || group.name === '') return [];
    return [{ group, reads: has(rights, reading), changes: has(rights, changing) }].filter(({ reads, changes }) => reads || changes);
  });
  if (open.length === 0) return { kind: 'private' };
  const found = new Map(open.map(({ group }) => [group.sid, group]));
  return { kind: 'open', groups: [...found.values()], change: open.some(({ changes }) => changes) };
}

/** Named where it is a group of many; with an empty name otherwise. */
function groupOf(who: string): Group {
  const [name = '', sid = who] = groups.find(([, sid, letters]) => who === sid || who === letters) ?? [];
  return name === '' && domainUsers.test(who) ? { name: 'Domain Users', sid: who } : { name, sid };
}

interface Rights {
  readonly letters: readonly string[];
  readonly bits: number;
}

/** Read data, and what implies it (Microsoft, "ACE Strings" and "File Access Rights Constants"). */
const reading: Rights = { letters: ['FA', 'FR', 'GA', 'GR', 'CC'], bits: 0x90000001 };
/** Write data, append, delete, change the list or the owner. */
const changing: Rights = { letters: ['FA', 'FW', 'GA', 'GW', 'DC', 'LC', 'SD', 'WD', 'WO'], bits: 0x500d0006 };

const has = (rights: string, { letters, bits }: Rights): boolean =>
  rights.startsWith('0x')
    ? // The bits may go up to the sign.
      (Number.parseInt(rights, 16) & bits) !== 0
    : (rights.match(/../g) ?? []).some((two) => letters.includes(two));
