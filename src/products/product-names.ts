/** The products of `--for`, in the order of the list of choices; apart from their guides, because `token get` needs no more than this. */
export const guideNames = ['this-computer', 'osticket', 'supportpal', 'kaseya', 'mspbots', 'custom'] as const;

export type GuideName = (typeof guideNames)[number];
