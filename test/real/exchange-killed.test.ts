import { access, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type CmdletAnswer, runCmdlet } from '../../src/sandbox/exchange/cmdlets.ts';
import type { FaultName } from '../../src/sandbox/faults/faults.ts';
import { newHome, startMailauth } from './rigs/chromium.ts';
import { type Gate, type GatedSandbox, openGatedSandbox, type Seat } from './rigs/gated-sandbox.ts';

/**
 * `kill -9` while a call to Exchange Online hangs, before or after Exchange did it: the note of a change is on disk before its call, and
 * what is read back comes after the last one. Then the same command once more, and everything is taken back.
 */
const mailbox = 'helpdesk@contoso.example';
const setup = ['setup', '--sandbox', '--yes', '--no-test', '--register', 'existing', '--mailbox'];
const exchange = (name: 'apply' | 'undo') => ['exchange', name, '--sandbox', '--yes', '--json', '--through', 'api'];

interface Kind {
  readonly kind: string;
  /** of the mailbox, where it is another one */
  readonly address?: string;
  readonly setup: readonly string[];
  /** while the mailbox is set up */
  readonly before?: FaultName;
  readonly fault?: FaultName;
  readonly changes: readonly string[];
  /** it is never taken back */
  readonly forGood?: string;
}

const kinds: readonly Kind[] = [
  {
    kind: 'a mailbox with its three switches off',
    setup: [...setup, mailbox],
    fault: 'exchange-switched-off',
    changes: ['imap', 'pop', 'smtpAuth'],
  },
  {
    kind: 'a delegate without rights',
    address: 'shared@contoso.example',
    setup: [...setup, 'shared@contoso.example', '--sign-in-as', 'bob@contoso.example'],
    changes: ['fullAccess', 'sendAs'],
  },
  {
    kind: 'an app that nobody let in',
    setup: [...setup, mailbox, '--access', 'app-only'],
    fault: 'app-not-granted',
    changes: ['servicePrincipal', 'fullAccess', 'sendAs'],
  },
  {
    kind: 'an app that sends by a role, in an organisation that was never changed',
    setup: [...setup, mailbox, '--access', 'app-only', '--protocols', 'smtp'],
    before: 'app-roles-missing',
    fault: 'exchange-not-customized',
    changes: ['managementScope', 'roleAssignment'],
    forGood: 'Enable-OrganizationCustomization',
  },
];

interface Scene {
  readonly box: GatedSandbox;
  readonly seat: Seat;
}

/** What a set-up leaves in the folder of a home. It is copied, because each set-up takes a second. */
const setUps = new Map<Kind, Seat>();
afterAll(async () => {
  await Promise.all([...setUps.values()].map((home) => home.remove()));
});

async function setUpOf(kind: Kind): Promise<Seat> {
  const known = setUps.get(kind);
  if (known !== undefined) return known;
  const box = await openGatedSandbox(kind.before);
  const home = await newHome();
  try {
    const seat = await box.seat();
    const run = startMailauth(kind.setup, seat.env);
    expect(await run.ended, run.stderr()).toBe(0);
    for (const name of kept) await cp(join(seat.path, 'sandbox', name), join(home.path, name), { recursive: true });
    setUps.set(kind, home);
    return home;
  } finally {
    await box.close();
  }
}

const kept = ['mailboxes', 'secrets.json', 'home.json'];

/** A tenant and a home of their own, in which the mailbox is set up. */
async function inScene<T>(kind: Kind, play: (scene: Scene) => Promise<T>): Promise<T> {
  const from = await setUpOf(kind);
  const box = await openGatedSandbox(kind.fault);
  try {
    const seat = await box.seat();
    for (const name of kept) await cp(join(from.path, name), join(seat.path, 'sandbox', name), { recursive: true });
    return await play({ box, seat });
  } finally {
    await box.close();
  }
}

async function green({ seat }: Scene, name: 'apply' | 'undo', what = name as string) {
  const run = startMailauth(exchange(name), seat.env);
  expect(await run.ended, `${what}: ${run.stdout()}${run.stderr()}`).toBe(0);
  return JSON.parse(run.stdout()).data;
}

async function killedAt({ box, seat }: Scene, name: 'apply' | 'undo', at: Gate): Promise<string> {
  const { stopped } = box.gate(at);
  const run = startMailauth(exchange(name), seat.env);
  const call = await Promise.race([stopped, run.ended.then((code) => `ended with ${code}: ${run.stdout()}${run.stderr()}`)]);
  run.kill();
  expect(await run.ended, call).toBe(null);
  return `${name} killed ${at.where} ${call} (call ${at.nth})`;
}

const isChange = (call: string): boolean => !/^(Get|Test)-/.test(call);

/**
 * Before and after each change, before the first and the last thing that is read, and before the first one that is read back. One kind is
 * killed at all of them; the others, whose changes alone differ, before the first change and after each.
 */
async function gatesOf(kind: Kind, name: 'apply' | 'undo'): Promise<readonly Gate[]> {
  return inScene(kind, async (scene) => {
    if (name === 'undo') await green(scene, 'apply');
    scene.box.gate();
    await green(scene, name);
    const { calls } = scene.box;
    const readBack = calls.findLastIndex(isChange) + 1;
    const isWhole = kind === kinds[0];
    return calls.flatMap((call, i): readonly Gate[] => {
      const before = { nth: i + 1, where: 'before' } as const;
      const isFirst = i === calls.findIndex(isChange);
      if (isChange(call)) return [...(isWhole || isFirst ? [before] : []), { nth: i + 1, where: 'after' }];
      return isWhole && [0, readBack, calls.length - 1].includes(i) ? [before] : [];
    });
  });
}

async function each<T>(lanes: number, cases: readonly T[], play: (one: T) => Promise<void>): Promise<void> {
  const rest = [...cases];
  const lane = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await play(next);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const notes = ({ seat }: Scene) => readdir(join(seat.path, 'sandbox', 'exchange')).catch(() => []);

/** What Exchange Online says of the mailbox and of apps: the same before the first command and after the last. */
async function seen({ box }: Scene, { fault, address = mailbox }: Kind): Promise<readonly CmdletAnswer[]> {
  const state = await box.state();
  const ask = (name: string) => runCmdlet({ name, parameters: { Identity: address }, fault }, state);
  const { scopes, roles } = state.exchange;
  const reads = ['Get-CASMailbox', 'Get-MailboxPermission', 'Get-RecipientPermission', 'Get-ServicePrincipal'];
  return [...reads.map(ask), { kind: 'ok', objects: [...scopes, ...roles] }];
}

/** What the killed command had changed: the call that hung was done only where it stopped `after`. */
function doneIn(calls: readonly string[], { forGood }: Kind, { nth = 0, where }: Gate): readonly string[] {
  const done = calls.slice(0, where === 'after' ? nth : nth - 1).filter(isChange);
  if (forGood === undefined) return done;
  // What comes before it was refused, because the organisation was not ready.
  return done.includes(forGood) ? done.slice(done.indexOf(forGood)) : [];
}

describe.each(kinds)('$kind', (kind) => {
  it('apply, killed at every call: the same command ends green, changes nothing twice, and all is put back', async () => {
    const gates = await gatesOf(kind, 'apply');
    expect(gates.filter(({ where }) => where === 'after').length).toBeGreaterThanOrEqual(kind.changes.length);
    await each(3, gates, (at) =>
      inScene(kind, async (scene) => {
        const before = await seen(scene, kind);
        const what = await killedAt(scene, 'apply', at);
        const first = doneIn(scene.box.calls, kind, at);
        scene.box.gate();
        const { changed } = await green(scene, 'apply', what);
        const second = scene.box.calls.filter(isChange);
        const twice = second.filter((call) => first.includes(call) && call !== kind.forGood);
        expect(twice, what).toEqual([]);
        expect(
          changed.every((one: { what: string }) => kind.changes.includes(one.what)),
          what,
        ).toBe(true);
        expect((await green(scene, 'apply', what)).changed, what).toEqual([]);
        const { restored, left } = await green(scene, 'undo', what);
        expect([restored.map((one: { what: string }) => one.what).toReversed(), left], what).toEqual([kind.changes, []]);
        expect([await seen(scene, kind), await notes(scene)], what).toEqual([before, []]);
      }),
    );
  }, 240_000);

  it('apply, killed at every change, and then undo alone: what was there before', async () => {
    const gates = (await gatesOf(kind, 'apply')).filter(({ where }) => where === 'after');
    await each(3, gates, (at) =>
      inScene(kind, async (scene) => {
        const before = await seen(scene, kind);
        const what = await killedAt(scene, 'apply', at);
        scene.box.gate();
        expect((await green(scene, 'undo', what)).left, what).toEqual([]);
        expect([await seen(scene, kind), await notes(scene)], what).toEqual([before, []]);
      }),
    );
  }, 240_000);

  it('undo, killed at every call: the same command puts back all the same', async () => {
    const gates = await gatesOf(kind, 'undo');
    expect(gates.filter(({ where }) => where === 'after')).toHaveLength(kind.changes.length);
    await each(3, gates, (at) =>
      inScene(kind, async (scene) => {
        const before = await seen(scene, kind);
        await green(scene, 'apply');
        const what = await killedAt(scene, 'undo', at);
        scene.box.gate();
        expect((await green(scene, 'undo', what)).left, what).toEqual([]);
        expect([await seen(scene, kind), await notes(scene)], what).toEqual([before, []]);
      }),
    );
  }, 240_000);
});

/** The stand-in for Microsoft's module stops in the nth change, before or after it was made, and says which process it is. */
describe('through PowerShell', () => {
  // What lies between is the same as through the web call, and each start of PowerShell takes seconds.
  const gates: readonly Gate[] = [
    { nth: 1, where: 'before' },
    { nth: 2, where: 'after' },
  ];
  const inPowerShell = (name: 'apply' | 'undo') => [...exchange(name).slice(0, -1), 'pwsh'];
  const before = { ImapEnabled: true, PopEnabled: false, SmtpClientAuthenticationDisabled: null };

  it.each(gates)('apply and undo, killed $where change $nth: the same command goes on, and all is put back', async ({ nth, where }) => {
    const home = await newHome();
    try {
      const state = join(home.path, 'exchange.json');
      const read = async () => JSON.parse(await readFile(state, 'utf8'));
      const env = {
        ...home.env,
        ...(await powerShellEnvironment()),
        RIG_EXCHANGE: state,
        RIG_TENANT: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
      };
      const known = { mailboxes: { [mailbox]: before }, permissions: [], trustees: [], servicePrincipals: [], calls: [] };
      const runs = async (argv: readonly string[]) => {
        const run = startMailauth(argv, env);
        expect(await run.ended, `${argv.join(' ')}: ${run.stdout()}${run.stderr()}`).toBe(0);
      };
      const killed = async (name: 'apply' | 'undo') => {
        // The gate counts the changes of one command.
        await writeFile(state, JSON.stringify({ ...(await read()), calls: [] }));
        const run = startMailauth(inPowerShell(name), { ...env, RIG_GATE: `${nth} ${where}` });
        const stopped = await stoppedIn(`${state}.stopped`);
        run.kill();
        expect(await run.ended).toBe(null);
        process.kill(stopped, 'SIGKILL');
        await rm(`${state}.stopped`);
      };
      await runs([...setup, mailbox]);
      await writeFile(state, JSON.stringify(known));
      await killed('apply');
      await runs(inPowerShell('apply'));
      expect((await read()).mailboxes[mailbox]).toEqual({ ImapEnabled: true, PopEnabled: true, SmtpClientAuthenticationDisabled: false });
      expect((await read()).calls).toHaveLength(2);
      await killed('undo');
      await runs(inPowerShell('undo'));
      expect((await read()).mailboxes[mailbox]).toEqual(before);
    } finally {
      await home.remove();
    }
  });
});

/** The PID that the stand-in wrote where it stopped. */
async function stoppedIn(file: string): Promise<number> {
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; await sleep(50)) {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
  }
  throw new Error('the stand-in did not stop');
}

async function powerShellEnvironment(): Promise<Record<string, string>> {
  const tools = join(homedir(), '.dotnet', 'tools');
  await access(join(tools, 'pwsh'));
  return {
    PATH: `${tools}:${process.env.PATH}`,
    DOTNET_ROOT: process.env.DOTNET_ROOT ?? '',
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    PSModulePath: join(import.meta.dirname, 'rigs', 'powershell'),
  };
}
