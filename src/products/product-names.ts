/**
 * The products of `--for`, in the order of the list of choices. A new product gets its name here; the compiler then asks for its data
 * file in `products.ts`. The names stand apart from the data because `token get` needs no more than them.
 */
export const productNames = ['this-computer', 'osticket', 'supportpal', 'kaseya', 'mspbots', 'custom'] as const;

export type ProductName = (typeof productNames)[number];
