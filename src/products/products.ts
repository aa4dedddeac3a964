import { custom } from './custom.ts';
import { kaseya } from './kaseya.ts';
import { mspbots } from './mspbots.ts';
import { osticket } from './osticket.ts';
import type { Product } from './product.ts';
import { supportpal } from './supportpal.ts';
import { thisComputer } from './this-computer.ts';

/**
 * Every product that mailauth can set up, in the order of the list of choices. A new product is its data file and its entry here:
 * `--for`, its help, the list of guides, the completion and the questions read this table.
 */
export const products: readonly Product[] = [thisComputer, osticket, supportpal, kaseya, mspbots, custom];

export const productNames: readonly string[] = products.map((product) => product.name);

/** What `--variant` takes beside the kind that needs no name: `older-plugin (osticket)`. */
export const variantNames: readonly string[] = products.flatMap(({ name, variants = [] }) =>
  variants.slice(1).map((variant) => `${variant.name} (${name})`),
);

export function productNamed(name: string): Product | undefined {
  return products.find((product) => product.name === name);
}
