// Bundled and run by bench.mjs: HOME COUNT. Writes so many sandbox set-ups with tokens, through the store; the first 40 are for the product `custom`.
import { systemClock, systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { writeMailboxes } from '../support/mailboxes.ts';

const [home = '', count = '200'] = process.argv.slice(2);
const ctx = { files: systemFiles, clock: systemClock, random: systemRandom };
await writeMailboxes(
  ctx,
  home,
  Array.from({ length: Number(count) }, (_, i) => ({ mailbox: `box${i}@contoso.example`, for: i < 40 ? 'custom' : 'this-computer' })),
);
