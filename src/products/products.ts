import { custom } from './custom.ts';
import { kaseya } from './kaseya.ts';
import { mspbots } from './mspbots.ts';
import { osticket } from './osticket.ts';
import type { Product } from './product.ts';
import { type ProductName, productNames } from './product-names.ts';
import { supportpal } from './supportpal.ts';
import { thisComputer } from './this-computer.ts';

const byName: Readonly<Record<ProductName, Product>> = { 'this-computer': thisComputer, osticket, supportpal, kaseya, mspbots, custom };

/** Every product mailauth can set up, in the order of the list of choices. */
export const products: readonly Product[] = productNames.map((name) => byName[name]);

export function productNamed(name: string): Product | undefined {
  return products.find((product) => product.name === name);
}
