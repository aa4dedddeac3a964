import { writeFile } from 'node:fs/promises';
import type { Context } from '../../src/core/context.ts';

export const ownSid = 'S-1-5-21-1004336348-1177238915-682003330-1001';

/** Access lists in SDDL: what icacls writes for a file that is private, and for one that inherited from a folder below `C:\`. */
export const privateList = `D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;${ownSid})`;
export const inheritedList = `D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)`;

interface Told {
  readonly asked: string[];
  /** the list of a path; undefined: icacls refuses */
  readonly lists?: (path: string) => string | undefined;
  /** exit codes by the beginning of what is called; 0 otherwise */
  readonly refused?: Readonly<Record<string, number>>;
  /** the Task Scheduler has the task */
  readonly tasks?: Set<string>;
}

/** The programs of Windows, as they answer there. */
export function windowsPrograms({ asked, lists = () => privateList, refused = {}, tasks = new Set() }: Told): Context['windowsProgram'] {
  return async (name, args) => {
    const call = [name, ...args].join(' ');
    asked.push(call);
    const code = Object.entries(refused).find(([begin]) => call.startsWith(begin))?.[1] ?? 0;
    if (code !== 0) return { code, text: '' };
    if (name === 'whoami') return { code: 0, text: `"contoso\\ada","${ownSid}"\r\n` };
    const [path = '', verb = '', saved = ''] = args;
    if (verb === '/save') {
      const list = lists(path);
      if (list === undefined) return { code: 5, text: '' };
      await writeFile(saved, Buffer.from(`${path}\r\n${list}\r\n`, 'utf16le'));
    }
    if (path === '/Create') tasks.add(saved);
    if (path === '/Delete') tasks.delete(saved);
    return { code: path === '/Query' && !tasks.has(saved) ? 1 : 0, text: '' };
  };
}
