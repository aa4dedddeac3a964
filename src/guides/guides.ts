import { custom } from './custom.ts';
import type { Guide } from './guide.ts';
import { kaseya } from './kaseya.ts';
import { mspbots } from './mspbots.ts';
import { osticket } from './osticket.ts';
import { supportpal } from './supportpal.ts';
import { thisComputer } from './this-computer.ts';

/** Every product mailauth can set up, in the order of the list of choices. */
export const guides: readonly Guide[] = [thisComputer, osticket, supportpal, kaseya, mspbots, custom];

export function guideNamed(name: string): Guide | undefined {
  return guides.find((guide) => guide.name === name);
}
