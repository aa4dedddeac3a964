import { Exit } from '../../../core/errors.ts';
import { again, led, line, mailauth, noted } from '../../../core/next.ts';
import { byPlatform, byShell } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

const means = (words: string, why: string) => ({ words, means: { why } });
const stale = 'The network folder (NFS, SMB) was mounted anew or moved on its server while the file was open (stale). Mount it again.';
const full = 'The disk or the quota of this user is full.';
const readOnly = 'The disk is mounted for reading only (a container, a snapshot, or a disk with errors).';
const many = 'The process or the system has too many files open.';
const denied = 'This user is not allowed to read or write it: it belongs to another user, or its mode forbids it.';
const broken = 'The disk or the network drive reports an error of its own.';

/** What the operating systems say of files. */
const fileSays = {
  codes: [
    ...[means('ESTALE', stale), means('ENOSPC', full), means('EDQUOT', full), means('EROFS', readOnly)],
    ...[means('EMFILE', many), means('ENFILE', many), means('EIO', broken)],
  ],
  says: [
    ...[means('Stale file handle', stale), means('Stale NFS file handle', stale), means('No space left on device', full)],
    ...[means('There is not enough space on the disk', full), means('Disk quota exceeded', full), means('Read-only file system', readOnly)],
    ...[means('Too many open files', many), means('Input/output error', broken)],
    ...[means('EACCES: permission denied', denied), means('EPERM: operation not permitted', denied)],
  ],
};

/** Files, and what npm says when it may not install. */
export const diskEntries = {
  'write-failed': entry<{ why: string }>({
    exit: Exit.failed,
    source: sources.own,
    ...fileSays,
    title: () => 'A file could not be read or written',
    why: (v) => v.why,
    next: () => [
      mailauth('doctor'),
      led('Keep the files of mailauth in another folder that this user can write to', { ...mailauth('setup'), home: 'mailauth' }),
    ],
  }),

  'file-in-use': entry<{ file: string }>({
    exit: Exit.temporary,
    source: 'https://learn.microsoft.com/windows/win32/fileio/creating-and-opening-files',
    says: ['The process cannot access the file because it is being used by another process', 'EBUSY: resource busy or locked'],
    title: ({ file }) => `Another program has ${file} open`,
    why: () => 'A backup, a virus scanner, a synchronised folder or an editor. Windows lets nobody replace the file meanwhile.',
    next: () => [noted(again(), 'once it is closed'), 'Except the folder of mailauth from scans and from synchronisation.'],
    retryHelps: true,
  }),

  'install-refused': entry({
    exit: Exit.failed,
    source: 'https://docs.npmjs.com/resolving-eacces-permissions-errors-when-installing-packages-globally',
    says: [
      'npm ERR! code EACCES',
      'npm error code EACCES',
      'npm ERR! code EPERM',
      'npm error code EPERM',
      'EACCES: permission denied, mkdir … node_modules',
      'EACCES: permission denied, rename … node_modules',
    ],
    title: () => 'npm is not allowed to write into the folder for programs',
    why: () => 'The folder belongs to another user (root). A folder of your own (prefix) needs no rights of an administrator.',
    next: () => [
      byShell({
        posix: line`npm config set prefix ~/.local`,
        powershell: byPlatform(line`npm config set prefix ~/.local`, line`npm config set prefix "$env:APPDATA\\npm"`),
        cmd: line`npm config set prefix "%APPDATA%\\npm"`,
      }),
      line`npm install -g entra-mailauth`,
      'The folder bin of the prefix must be in PATH.',
    ],
    retryHelps: false,
  }),
};
