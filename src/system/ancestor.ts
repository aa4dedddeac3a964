import { readFileSync } from 'node:fs';
import { shellNamed } from '../core/shell/shell-in-use.ts';

/** npm and npx run what they start by `sh -c`: that is nobody's shell. */
const passedOver = new Set(['sh', 'dash']);

/**
 * The nearest shell above this process, as Linux names it in /proc (proc(5), `/proc/pid/stat`); undefined where none is found or the
 * system has no such files. Read only inside a PowerShell, and only when a line is to be printed.
 */
export function shellAbove({ platform, ppid }: Pick<NodeJS.Process, 'platform' | 'ppid'>): string | undefined {
  if (platform !== 'linux') return undefined;
  let pid = ppid;
  for (let steps = 0; pid > 1 && steps < 16; steps += 1) {
    const found = processOf(pid);
    if (found === undefined) return undefined;
    if (shellNamed(found.name) !== undefined && !passedOver.has(found.name)) return found.name;
    pid = found.parent;
  }
  return undefined;
}

function processOf(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    // The name stands in parentheses and may hold some itself.
    const [, name = '', parent = ''] = /^\d+ \((.*)\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
