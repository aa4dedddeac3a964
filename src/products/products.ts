import { custom } from './custom.ts';
import { kaseya } from './kaseya.ts';
import { mspbots } from './mspbots.ts';
import { osticket } from './osticket.ts';
import { type Product, type ProductName, productNames } from './product.ts';
import { supportpal } from './supportpal.ts';
import { thisComputer } from './this-computer.ts';

const byName: Readonly<Record<ProductName, Product>> = { 'this-computer': thisComputer, osticket, supportpal, kaseya, mspbots, custom };

/**
 * Every product that mailauth can set up, in the order of the list of choices. A new product is its data file, its name in
 * `product-names.ts` and its entry here: `--for`, its help, the list of guides, the completion and the questions read this table.
 */
export const products: readonly Product[] = productNames.map((name) => byName[name]);

/** What `--variant` takes beside the kind that needs no name: `older-plugin (osticket)`. */
export const variantNames: readonly string[] = products.flatMap(({ name, variants = [] }) =>
  variants.slice(1).map((variant) => `${variant.name} (${name})`),
);

export function productNamed(name: string): Product | undefined {
  return products.find((product) => product.name === name);
}
