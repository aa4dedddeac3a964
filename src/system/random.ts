import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../core/context.ts';

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
};
