/** The products of `--for`, in the order of the list of choices; apart from their guides, because `token get` needs no more than this. */
export const productNames = ['this-computer', 'osticket', 'supportpal', 'kaseya', 'mspbots', 'custom'] as const;

export type ProductName = (typeof productNames)[number];
