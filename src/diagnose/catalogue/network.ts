import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';

export const networkEntries = {
};
