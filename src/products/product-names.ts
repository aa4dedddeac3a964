/** The words of `--for`, in the order of the list of choices. A file of its own: `token get` needs the names and none of the products' data. */
export const productNames = ['this-computer', 'osticket', 'supportpal', 'kaseya', 'mspbots', 'custom'] as const;

export type ProductName = (typeof productNames)[number];
