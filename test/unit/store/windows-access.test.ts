import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKeyFile } from '../../../src/store/new-key-file.ts';
import { accessIn, accessOf, closingArguments } from '../../../src/store/windows-access.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';
import { inheritedList, ownSid, privateList, windowsPrograms } from '../../support/windows.ts';

let folder = '';
let remove = async () => {};
beforeEach(async () => {
  ({ path: folder, remove } = await temporaryFolder());
});
afterEach(() => remove());

const users = { name: 'Users', sid: 'S-1-5-32-545' };
const everyone = { name: 'Everyone', sid: 'S-1-1-0' };

describe('an access list in SDDL', () => {
  it.each<[string, string, unknown]>([
    ['of one user, SYSTEM and the administrators', privateList, { kind: 'private' }],
    [
      'as a folder below C:\\ hands it down',
      inheritedList,
      { kind: 'open', groups: [users, { name: 'Authenticated Users', sid: 'S-1-5-11' }], change: true },
    ],
    ['for all to read', 'D:(A;;FR;;;WD)', { kind: 'open', groups: [everyone], change: false }],
    ['of SIDs in full', 'D:PAI(A;;FA;;;S-1-1-0)', { kind: 'open', groups: [everyone], change: true }],
    ['that only lets others list what may be run', 'D:(A;;0x100020;;;BU)', { kind: 'private' }],
    ['that only later files inherit', 'D:AI(A;OICIIO;GA;;;BU)', { kind: 'private' }],
    ['that forbids others', 'D:(D;;FA;;;BU)(A;;FA;;;SY)', { kind: 'private' }],
    ['that lets one more account in, by its name', `D:(A;;FA;;;${ownSid.replace(/1001$/, '1107')})`, { kind: 'private' }],
    ['of all users of the domain', 'D:(A;;FR;;;DU)', { kind: 'open', groups: [{ name: 'Domain Users', sid: 'DU' }], change: false }],
    ['with owner and group before it', `O:${ownSid}G:DUD:(A;;GR;;;BU)S:AI`, { kind: 'open', groups: [users], change: false }],
    ['that is not there', 'D:NO_ACCESS_CONTROL', { kind: 'open', groups: [everyone], change: true }],
    ['in an unknown form', 'O:BA', { kind: 'unknown' }],
  ])('%s', (_, list, wanted) => {
    expect(accessIn(`key.bin\r\n${list}\r\n`)).toEqual(wanted);
  });

  it('is read from the file that icacls writes, which is removed; without that file nothing is known', async () => {
    const asked: string[] = [];
    const ctx = (lists: (path: string) => string | undefined) => testContext({ windowsProgram: windowsPrograms({ asked, lists }) });
    expect(
      await accessOf(
        'C:\\key',
        folder,
        ctx(() => privateList),
      ),
    ).toEqual({ kind: 'private' });
    expect(
      await accessOf(
        'C:\\key',
        folder,
        ctx(() => undefined),
      ),
    ).toEqual({ kind: 'unknown' });
    expect(await accessOf('C:\\key', folder, testContext())).toEqual({ kind: 'unknown' });
    // The stub of Wine ends with 0 and writes nothing.
    expect(await accessOf('C:\\key', folder, testContext({ windowsProgram: async () => ({ code: 0, text: '' }) }))).toEqual({
      kind: 'unknown',
    });
    expect(await testContext().files.list(folder)).toEqual([]);
  });

  it('is closed by SIDs, which no language of Windows changes', () => {
    expect(closingArguments('C:\\a b', `*${ownSid}`, { folder: true, groups: [users] })).toEqual([
      'C:\\a b', '/inheritance:r', '/remove:g', '*S-1-5-32-545', '/grant:r',
      '*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F', `*${ownSid}:(OI)(CI)F`,
    ]); // biome-ignore format: rows
  });
});

describe('a key file on Windows', () => {
  const file = () => join(folder, 'key');
  const make = (windowsProgram: ReturnType<typeof windowsPrograms>, env = {}) =>
    makeKeyFile(file(), testContext({ platform: 'win32', windowsProgram, env }));

  it('is closed to others before the key is written', async () => {
    const sizes: number[] = [];
    const programs = windowsPrograms({ asked: [] });
    const made = await make(async (name, args) => {
      if (name === 'icacls') sizes.push((await readFile(file())).length);
      return programs(name, args);
    });
    expect([made, sizes, (await readFile(file())).length]).toEqual([true, [0], 32]);
  });

  it('is named to icacls by the SID, and by the name where whoami is silent', async () => {
    const asked: string[] = [];
    await make(windowsPrograms({ asked }));
    expect(asked).toEqual([
      'whoami /user /fo csv /nh',
      `icacls ${file()} /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *${ownSid}:F`,
    ]);
    await remove();
    await make(windowsPrograms({ asked, refused: { whoami: 1 } }), { USERDOMAIN: 'CONTOSO', USERNAME: 'ada' });
    expect(asked.at(-1)).toContain('CONTOSO\\ada:F');
  });

  it('is not made where others would read it, and one that is there stays', async () => {
    const refusing = windowsPrograms({ asked: [], refused: { icacls: 1332 } });
    await expect(make(refusing)).rejects.toMatchObject({ code: 'key-file-not-closed', exit: 7 });
    await expect(readFile(file())).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(file(), 'other');
    expect(await make(refusing)).toBe(false);
    expect(await readFile(file(), 'utf8')).toBe('other');
  });
});
