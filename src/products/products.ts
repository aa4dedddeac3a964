import { custom } from './custom.ts';
import { kaseya } from './kaseya.ts';
import { mspbots } from './mspbots.ts';
import { osticket } from './osticket.ts';
import type { Guide } from './product.ts';
import { type GuideName, guideNames } from './product-names.ts';
import { supportpal } from './supportpal.ts';
import { thisComputer } from './this-computer.ts';

const byName: Readonly<Record<GuideName, Guide>> = { 'this-computer': thisComputer, osticket, supportpal, kaseya, mspbots, custom };

/** Every product mailauth can set up, in the order of the list of choices. */
export const guides: readonly Guide[] = guideNames.map((name) => byName[name]);

export function guideNamed(name: string): Guide | undefined {
  return guides.find((guide) => guide.name === name);
}
