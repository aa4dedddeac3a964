import { resolve } from 'node:path';
import type { Cloud } from '../core/cloud.ts';
import { namedCloud } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { problem } from '../errors/problem.ts';
import type { Globals } from './globals.ts';

type Choice = Pick<Globals, 'cloud' | 'cloudFile'>;

/** The cloud file that a flag or a variable names, absolute. */
export const cloudFileOf = ({ cloudFile }: Choice): string | undefined => (cloudFile === undefined ? undefined : resolve(cloudFile));

/** The cloud that a flag or a variable names. Throws `cloud-file-broken` (exit 2). */
export async function chosenCloud({ files }: Pick<Context, 'files'>, choice: Choice): Promise<Cloud | undefined> {
  const file = cloudFileOf(choice);
  if (file === undefined) return choice.cloud === undefined ? undefined : namedCloud(choice.cloud);
  const { readCloudFile } = await import('../entra/cloud-file.ts');
  const text = await files.read(file);
  if (text === undefined) throw problem('cloud-file-broken', { file, why: 'there is no such file' });
  return readCloudFile(text, file);
}
