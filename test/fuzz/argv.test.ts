import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findCommand } from '../../src/cli/find-command.ts';
import { run } from '../../src/cli/run.ts';
import { aliases, commands, topics } from '../../src/cli/tree.ts';
import type { Context } from '../../src/core/context.ts';
import { Exit, type ExitCode, SysExit } from '../../src/core/errors.ts';
import { problem } from '../../src/errors/problem.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { temporaryFolder, testContext } from '../support/context.ts';
import { commandPapers, globalFlags } from '../unit/docs/command-tree.ts';

/**
 * The whole program with argument vectors that nobody thought of, on a computer where nothing can be written and no network answers. It ends
 * with a code of the contract, says no word of a stack, repeats no secret and never calls a vector a bug of its own.
 */
const runs = Number(process.env.MAILAUTH_FUZZ_RUNS ?? 0);
const seed = Number(process.env.MAILAUTH_FUZZ_SEED ?? (runs > 0 ? Date.now() % 2 ** 31 : 4711));
const secret = 'S3cr3t~of-the-client_0123456789abcdef';

let home: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  home = await temporaryFolder();
});
afterAll(() => home.remove());

const denied = (path: string) => Promise.reject(Object.assign(new Error(`EACCES: permission denied, '${path}'`), { code: 'EACCES', path }));
const unreachable = () => Promise.reject(problem('no-network', { host: 'login.microsoftonline.com', port: 443 }));

function machine(): ReturnType<typeof testContext> {
  const refused = { request: unreachable, lookup: unreachable, connect: unreachable, secure: unreachable };
  const network = {
    ...refused,
    secureContext: unreachable,
    proxyFor: () => undefined,
    trusting: () => network,
  } as unknown as Context['network'];
  return testContext({
    env: { MAILAUTH_HOME: home.path },
    files: {
      ...systemFiles,
      writeAtomic: denied,
      append: denied,
      create: denied,
      remove: async () => false,
      removeTree: denied,
      lock: denied,
    },
    network,
    // A pause of `keepalive --jitter` takes no time here.
    clock: { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() },
  });
}

const odd = fc.oneof(
  fc.constantFrom(
    '',
    '-',
    '--',
    '---',
    '=',
    '-1',
    '1e999',
    '0x10',
    '\u202e',
    '\u001b[31m',
    '"',
    "'; id",
    '$(id)',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom(
    'a@b.example',
    'A@B',
    '@',
    'contoso.com',
    'osticket',
    'this-computer',
    'imap',
    'all',
    'public',
    'file',
    'AADSTS50076',
    'json',
  ),
  fc.constantFrom('/nonexistent/x.html', '/dev/null', '/nonexistent', '~', 'http://localhost:1/', 'x'.repeat(4000), ...topics),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

/** Ways in which people give a secret by mistake. */
const secrets = fc.constantFrom(
  [`--client-secret=${secret}`],
  ['--client-secret', secret],
  ['--password', secret],
  [`--secret=${secret}`],
  [`--pass=${secret}`],
  [`--clientsecret=${secret}`],
  [`-p${secret}`],
  [`-p=${secret}`],
  [`--client-secret-file=${secret}`],
);

async function vectors(): Promise<fc.Arbitrary<readonly string[]>> {
  const papers = await commandPapers();
  const longs = [...new Set([...papers.flatMap(({ flags }) => flags), ...globalFlags()].map(({ long }) => long))];
  // The sandbox makes keys and opens servers, which takes too long for one vector.
  const flags = longs.filter((name) => name !== '--sandbox' && name !== '--fault');
  const words = [
    ...commands.map(({ name }) => name.split(' ')),
    ...[...aliases.keys()].map((name) => [name]),
    ['help'],
    ['token'],
    ['store'],
  ];
  // Both serve until they are stopped, and an agent makes a real socket wherever it is told to.
  const command = fc.constantFrom(...words.filter(([first]) => first !== 'sandbox' && first !== 'agent'));
  const flag = fc.constantFrom(...flags);
  const piece = fc.oneof(
    flag.map((name) => [name]),
    fc.tuple(flag, odd).map(([name, value]) => [name, value]),
    fc.tuple(flag, odd).map(([name, value]) => [`${name}=${value}`]),
    odd.map((value) => [value]),
    secrets,
  );
  return fc
    .tuple(fc.array(piece, { maxLength: 1 }), command, fc.array(piece, { maxLength: 5 }))
    .map(([a, b, c]) => [...a, [...b], ...c].flat());
}

/** Only `send` ends with the codes of sysexits.h, and it ends with no other, except 0 and those of signals. */
function codesFor(argv: readonly string[]): readonly ExitCode[] {
  const name = findCommand(argv).words.join(' ');
  return name === 'send' ? [Exit.done, ...Object.values(SysExit), Exit.hungUp, Exit.interrupted, Exit.terminated] : Object.values(Exit);
}

it(
  'any argument vector ends with a code of the contract, without a stack and without a secret',
  async () => {
    const check = async (argv: readonly string[]): Promise<void> => {
      const ctx = machine();
      const exit = await run(argv, ctx, '0.0.0-test');
      const said = ctx.out.text + ctx.err.text;
      expect(codesFor(argv)).toContain(exit);
      expect(said).not.toMatch(/\n\s+at .*:\d+|this is a bug/);
      // What stands behind `--` is a word like any other.
      if (!argv.includes('--')) expect(said).not.toContain(secret);
    };
    await fc.assert(fc.asyncProperty(await vectors(), check), { numRuns: runs === 0 ? 150 : Math.ceil(runs / 50), seed });
  },
  runs === 0 ? 60_000 : 4 * 3_600_000,
);
