// Bundled and run by bench.mjs: HOME COUNT. Writes so many sandbox set-ups with tokens, through the store.
import { systemClock } from '../../src/system/clock.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { systemRandom } from '../../src/system/random.ts';
import { writeMailboxes } from '../support/mailboxes.ts';

const [home = '', count = '200'] = process.argv.slice(2);
const ctx = { files: systemFiles, clock: systemClock, random: systemRandom };
await writeMailboxes(
  ctx,
  home,
  Array.from({ length: Number(count) }, (_, i) => ({ mailbox: `box${i}@contoso.example` })),
);
