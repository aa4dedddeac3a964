import { join } from 'node:path';
import type { Context, Held } from '../core/context.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason } from './home.ts';

type GuardContext = Pick<Context, 'files' | 'uid'>;

/** A path that another user can change, and how it stands. */
interface Exposed {
  readonly path: string;
  readonly held: Held;
}

/**
 * The files of a home decide where tokens and client secrets are sent, so nothing secret is read or sent where another user can change the
 * home, its folders, or those of its files that are read now. Root may work in the home of another user where everything belongs to that
 * user: what belongs to somebody else there is a trap for root, or of no use to the user. Throws `home-exposed`.
 */
export async function refuseExposedHome(ctx: GuardContext, home: string, files: readonly string[]): Promise<void> {
  const { uid } = ctx;
  // Windows has access lists in place of owners and modes.
  if (uid === undefined) return;
  const held = await stands(ctx, home);
  if (held === undefined) return;
  const owners = uid !== 0 ? [0, uid] : [held.uid];
  const names = uid === 0 ? [...folders, ...rootToo] : folders;
  const exposed: Exposed[] = isHomeExposed(held, owners) ? [{ path: home, held }] : [];
  for (const path of [...names.map((name) => join(home, name)), ...files]) {
    const inside = await stands(ctx, path);
    if (inside !== undefined && isExposed(inside, owners)) exposed.push({ path, held: inside });
  }
  const [first] = exposed;
  if (first !== undefined) throw exposedProblem(first, exposed, { home, uid, owner: uid === 0 ? held.uid : uid });
}

/** A file that describes a cloud decides where secrets are sent, as the files of the home do. Throws `home-exposed`. */
export async function refuseExposedFile(ctx: GuardContext, path: string, home: string): Promise<void> {
  const { uid } = ctx;
  if (uid === undefined) return;
  const held = await stands(ctx, path);
  // Root works for the owner of the home, and that user's own file is as good as root's.
  const owners = [0, uid, ...(uid === 0 ? [(await stands(ctx, home))?.uid ?? 0] : [])];
  if (held === undefined || !isExposed({ ...held, ...(held.link && { link: { ...held.link, folderUid: held.uid } }) }, owners)) return;
  throw exposedProblem({ path, held }, [{ path, held }], { home: undefined, uid, owner: uid });
}

/** The finished set-ups and the interrupted ones. */
const folders = ['mailboxes', 'setups'];
/** What root reads or writes in a home beside them. */
const rootToo = ['home.json', 'secrets.sealed', 'secrets.sealed.copy', 'locks'];

async function stands({ files }: GuardContext, path: string): Promise<Held | undefined> {
  try {
    return await files.held(path);
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('home-not-writable', { home: plain(path), why }, { cause: error });
  }
}

const othersWrite = 0o022;

/** The operator names the home, so root's links on the way are trusted. */
const isHomeExposed = ({ uid, mode, link }: Held, owners: readonly number[]): boolean =>
  !owners.includes(uid) || (mode & othersWrite) !== 0 || (link !== undefined && link.uid !== 0 && !owners.includes(link.uid));

/** Inside of the home a link is followed only where link, folder and target have one owner. */
const isExposed = ({ uid, mode, link }: Held, owners: readonly number[]): boolean =>
  !owners.includes(uid) || (mode & othersWrite) !== 0 || (link !== undefined && (link.uid !== uid || link.folderUid !== uid));

interface Where {
  readonly home: string | undefined;
  readonly uid: number;
  /** to whom everything must belong */
  readonly owner: number;
}

function exposedProblem({ path, held }: Exposed, all: readonly Exposed[], { home, uid, owner }: Where): Error {
  const isLink = held.link !== undefined && (held.link.uid !== held.uid || held.link.folderUid !== held.uid);
  // A folder that is for all (/tmp) or that belongs to somebody else (a volume of a container) cannot be closed: a folder in it can.
  const isShared = path === home && ((held.mode & 0o1002) === 0o1002 || (uid !== 0 && held.uid !== uid));
  return problem('home-exposed', {
    path: plain(path),
    paths: all.map((one) => plain(one.path)),
    mode: (held.mode & 0o7777).toString(8).padStart(4, '0'),
    way: isShared ? 'folder' : isLink ? 'link' : 'close',
    owner: String(owner),
    isOwn: held.uid === owner,
    allOwn: all.every((one) => one.held.uid === owner),
    sudo: uid !== 0,
  });
}
