import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Network } from '../../src/core/context.ts';
import { Interrupted } from '../../src/core/errors.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { createLongInput } from '../../src/system/terminal/terminal.ts';
import { type How, type Machine, machine, person, type Ran } from '../support/command-line.ts';
import { realNetwork } from '../support/context.ts';
import { checkedJson } from '../support/json-schema.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf, tenantOf } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const longInput = createLongInput(process.stdin, new AbortController().signal);
const place = (name: string): string => join(m.home, name);
const list = async (text: string, name = 'list.csv'): Promise<string> => {
  await writeFile(place(name), text);
  return place(name);
};
const from = async (text: string, words = '--yes --json', how: How = {}): Promise<Ran> =>
  m.run(['setup', '--sandbox', '--from', await list(text), ...words.split(' ')], { longInput, ...how });
const dataOf = (ran: Ran) => stream(ran.lines()).data;
const errorOf = (ran: Ran) => stream(ran.lines()).error;
/** Sign-ins of administrators, and those of mailboxes. */
const signIns = (ran: Ran) => {
  const lines = ran.lines();
  const administrators = lines.filter(({ step, state }) => step === 'admin-sign-in' && state === 'done').length;
  return { administrators, mailboxes: lines.filter(({ type }) => type === 'authorization_required').length - administrators };
};
const reportOf = async (name = 'report.jsonl') =>
  (await readFile(place(name), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => checkedJson(line, 'report-line'));

/** The real network, which notes each address that it asks. */
const counting = (asked: string[], network: Network = realNetwork): Network => ({
  ...network,
  request(request) {
    asked.push(request.url);
    return network.request(request);
  },
  trusting: (ca) => counting(asked, network.trusting(ca)),
});

const header = 'mailbox,for,redirect-uri,sign-in,no-test\n';
const four = `${header}a@alpha.example,,,skip,true\nb@beta.example,osticket,https://help.beta.example/cb,,\nc@alpha.example,,,skip,true\nd@beta.example,mspbots,,,\n`;
const withReport = () => `--yes --json --report ${place('report.jsonl')}`;

describe('a list', () => {
  it('sets up every row, with one sign-in of an administrator for each tenant; run again it changes nothing and asks nobody', async () => {
    const ran = await from(four, withReport());
    expect([ran.exit, signIns(ran)]).toEqual([0, { administrators: 2, mailboxes: 0 }]);
    const rows = [
      { row: 2, mailbox: 'a@alpha.example', for: 'this-computer', ok: true, exit: 0 },
      { row: 3, mailbox: 'b@beta.example', for: 'osticket', ok: true, exit: 0 },
      { row: 4, mailbox: 'c@alpha.example', for: 'this-computer', ok: true, exit: 0 },
      { row: 5, mailbox: 'd@beta.example', for: 'mspbots', ok: true, exit: 0 },
    ];
    expect(dataOf(ran)).toEqual({ rows, summary: { total: 4, ok: 4, failed: 0, before: 0, waiting: 0 } });
    // By tenant, as the work went.
    expect((await reportOf()).map(({ row }) => row)).toEqual([2, 4, 3, 5]);
    expect((await reportOf()).toSorted((x, y) => x.row - y.row)).toEqual(rows);
    expect(await countOf(m)).toMatchObject({ apps: 4 });

    const before = await readFile(place('sandbox/state.json'), 'utf8');
    const again = await from(four, withReport());
    expect([again.exit, signIns(again)]).toEqual([0, { administrators: 0, mailboxes: 0 }]);
    expect(dataOf(again).summary).toEqual({ total: 4, ok: 4, failed: 0, before: 4, waiting: 0 });
    expect([await readFile(place('sandbox/state.json'), 'utf8'), await reportOf()]).toEqual([before, await reportOf()]);
    expect(await reportOf()).toHaveLength(4);
    // Where nothing is to be done, there is nothing to agree to.
    expect((await from(four, '--json')).exit).toBe(0);
  });

  it('as JSON, with defaults from the command line, which a cell overrides', async () => {
    const rows = [{ mailbox: 'a@alpha.example' }, { mailbox: 'b@alpha.example', for: 'custom', protocols: ['smtp'] }];
    const ran = await from(JSON.stringify(rows), '--yes --json --for this-computer --sign-in skip --no-test --protocols imap');
    expect([ran.exit, dataOf(ran).rows.map(({ row, for: product }: { row: number; for: string }) => [row, product])]).toEqual([
      0,
      [
        [1, 'this-computer'],
        [2, 'custom'],
      ],
    ]);
    const { grants } = await tenantOf(m);
    const scopes = grants.map(({ scope }) => scope).join(' ');
    expect([scopes.includes('IMAP.'), scopes.includes('SMTP.')]).toEqual([true, true]);
  });

  it('each mailbox signs in on this computer where the set-up says so, and is tested; the second run signs nobody in', async () => {
    const text = 'mailbox,protocols\na@alpha.example,imap\nb@alpha.example,smtp\n';
    const ran = await from(text);
    expect([ran.exit, signIns(ran)]).toEqual([0, { administrators: 1, mailboxes: 2 }]);
    const again = await from(text);
    expect([again.exit, signIns(again), dataOf(again).summary.before]).toEqual([0, { administrators: 0, mailboxes: 0 }, 2]);
  });

  it('a client secret that is stored already is not brought a second time', async () => {
    const own = await from('mailbox,for,redirect-uri,sign-in\na@alpha.example,osticket,https://help.alpha.example/cb,skip\n');
    expect(own.exit).toBe(0);
    const shown = await m.mailauth('secret show a@alpha.example --sandbox --reveal --json');
    await writeFile(place('secret.txt'), `${shown.json().data.clientSecret}\n`);
    const { clientId } = (await tenantOf(m)).apps[0] ?? {};
    const text = `mailbox,for,redirect-uri,client-id,client-secret-file\nb@alpha.example,osticket,https://help.alpha.example/cb,${clientId},${place('secret.txt')}\n`;
    expect((await from(text)).exit).toBe(0);
    const again = await from(text);
    expect([again.exit, dataOf(again).summary.before]).toEqual([0, 1]);
  });

  it('writes the sheet of each row that names one', async () => {
    const text = `mailbox,for,redirect-uri,handover\na@alpha.example,osticket,https://help.alpha.example/cb,${place('a.md')}\n`;
    expect((await from(text)).exit).toBe(0);
    expect(await readFile(place('a.md'), 'utf8')).toContain('https://help.alpha.example/cb');
  });

  it('one registration serves all rows of a tenant and product that share it', async () => {
    const cells = 'osticket,https://help.alpha.example/cb,true,Alpha\n';
    const text = `mailbox,for,redirect-uri,shared-app,label\na@alpha.example,${cells}b@alpha.example,${cells}`;
    const ran = await from(text);
    expect([ran.exit, signIns(ran).administrators, (await countOf(m)).apps]).toEqual([0, 1, 1]);
    const again = await from(text);
    expect([again.exit, dataOf(again).summary.before, signIns(again).administrators]).toEqual([0, 2, 0]);
  });

  it('takes MAILAUTH_GRAPH_TOKEN in place of the sign-ins', async () => {
    const env = { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) };
    const text = 'mailbox,sign-in,no-test\na@contoso.example,skip,true\nb@contoso.example,skip,true\n';
    const ran = await from(text, '--yes --json', { env });
    expect([ran.exit, signIns(ran), (await countOf(m)).apps]).toEqual([0, { administrators: 0, mailboxes: 0 }, 2]);
  });

  it('a token that ends in the middle is renewed by one more sign-in', async () => {
    let now = Date.now();
    const { systemClock } = await import('../../src/system/clock-and-random.ts');
    const files = {
      ...systemFiles,
      async append(path: string, text: string) {
        await systemFiles.append(path, text);
        now += 2 * 3_600_000;
      },
    };
    const clock = { ...systemClock, now: () => now };
    const text = 'mailbox,sign-in,no-test\na@alpha.example,skip,true\nb@alpha.example,skip,true\n';
    const ran = await from(text, withReport(), { files, clock });
    expect([ran.exit, signIns(ran).administrators]).toEqual([0, 2]);
  });
});

describe('a row that fails', () => {
  const unknown = '99999999-2222-3333-4444-555555555555';

  it('does not stop the others, and the exit is the one that all failed rows share', async () => {
    const text = `mailbox,client-id,sign-in,no-test\na@alpha.example,,skip,true\nb@alpha.example,${unknown},,true\nc@alpha.example,,skip,true\n`;
    const ran = await from(text, withReport());
    expect([ran.exit, errorOf(ran)?.code, dataOf(ran).summary]).toEqual([
      1,
      'set-ups-failed',
      { total: 3, ok: 2, failed: 1, before: 0, waiting: 0 },
    ]);
    const [, failed] = await reportOf();
    expect(failed).toMatchObject({ row: 3, mailbox: 'b@alpha.example', ok: false, exit: 1, code: 'client-unknown' });
    expect(failed.next[0]).toMatch(/^mailauth setup .*--mailbox b@alpha\.example.*--sandbox/);
    // Mended, the same list goes on with what is missing.
    const mended = await from(text.replace(unknown, ''));
    expect([mended.exit, dataOf(mended).summary]).toEqual([0, { total: 3, ok: 3, failed: 0, before: 2, waiting: 0 }]);
    expect(await countOf(m)).toMatchObject({ apps: 3 });
  });

  it('a tenant that is not there fails its rows alone; it is looked for once', async () => {
    const text = `${header}a@nowhere.example,,,skip,true\nb@alpha.example,,,skip,true\nc@nowhere.example,,,skip,true\n`;
    const asked: string[] = [];
    const ran = await from(text, '--yes --json', { network: counting(asked) });
    expect([ran.exit, dataOf(ran).rows.map(({ ok, code }: { ok: boolean; code?: string }) => code ?? ok)]).toEqual([
      1,
      ['tenant-unknown', true, 'tenant-unknown'],
    ]);
    expect(asked.filter((url) => url.includes('/nowhere.example/'))).toHaveLength(1);
    expect(asked.filter((url) => /\/alpha\.example\/.*openid-configuration/.test(url))).toHaveLength(1);
  });

  it('an administrator who may not is asked once a tenant, and the exit of all rows is that of the command', async () => {
    const ran = await from(
      `${header}a@alpha.example,,,skip,true\nb@alpha.example,,,skip,true\n`,
      '--yes --json --fault registration-forbidden',
    );
    expect([ran.exit, errorOf(ran)?.exit, signIns(ran).administrators]).toEqual([6, 6, 1]);
  });

  it('failures with different exits end with 1', async () => {
    const text = 'mailbox,client-id,sign-in,no-test\na@nowhere.example,,skip,true\nb@alpha.example,,skip,true\n';
    const ran = await from(text, '--yes --json --fault registration-forbidden');
    expect([ran.exit, dataOf(ran).rows.map(({ exit }: { exit: number }) => exit)]).toEqual([1, [1, 6]]);
  });
});

describe('stopped in the middle', () => {
  it('keeps the rows so far in the report, names the whole command, and goes on with what is missing', async () => {
    const stop = new AbortController();
    let rows = 0;
    const files = {
      ...systemFiles,
      async append(path: string, text: string) {
        await systemFiles.append(path, text);
        rows += 1;
        if (rows === 2) stop.abort(new Interrupted());
      },
    };
    const stopped = await from(four, withReport(), { files, signal: stop.signal });
    expect([stopped.exit, (await reportOf()).map(({ row }) => row)]).toEqual([130, [2, 4]]);
    expect(errorOf(stopped)?.next[0]).toMatch(/^mailauth setup --from \S+list\.csv --report \S+ --json --yes --sandbox$/);
    const ran = await from(four, withReport());
    expect([ran.exit, dataOf(ran).summary, signIns(ran).administrators]).toEqual([
      0,
      { total: 4, ok: 4, failed: 0, before: 2, waiting: 0 },
      1,
    ]);
    expect(await countOf(m)).toMatchObject({ apps: 4 });
  });

  it('killed within a registration, the app is completed and not doubled', async () => {
    const stop = new AbortController();
    const files = {
      ...systemFiles,
      async writeAtomic(path: string, text: string | Uint8Array) {
        await systemFiles.writeAtomic(path, text);
        if (path.includes('/setups/c@') && String(text).includes('"appId"') && !stop.signal.aborted) {
          stop.abort(new Interrupted());
          throw stop.signal.reason;
        }
      },
    };
    expect((await from(four, '--yes --json', { files, signal: stop.signal })).exit).toBe(130);
    const ran = await from(four);
    expect([ran.exit, await countOf(m)]).toEqual([0, expect.objectContaining({ apps: 4 })]);
  });
});

describe('before the first change', () => {
  const faults = async (text: string, words = '--yes --json'): Promise<unknown> => {
    const ran = await from(text, words);
    expect([ran.exit, errorOf(ran)?.code, await countOf(m)]).toEqual([2, 'list-faulty', expect.objectContaining({ apps: 0 })]);
    return dataOf(ran).faults.map(({ row, column }: { row: number; column?: string }) => [row, column]);
  };

  it.each([
    ['a missing mailbox, which the sandbox does not fill in', 'mailbox,for\n,osticket', 'mailbox'],
    ['a wrong address', 'mailbox\nnobody', 'mailbox'],
    ['an unknown product', 'mailbox,for\na@x.example,osticke', 'for'],
    ['a missing answer', 'mailbox,for\na@x.example,osticket', 'redirect-uri'],
    ['a redirect that Entra refuses', 'mailbox,redirect-uri\na@x.example,http://x.example/cb', 'redirect-uri'],
    ['a client ID that is none', 'mailbox,client-id\na@x.example,1234', 'client-id'],
    ['a missing client ID, which the sandbox does not fill in', 'mailbox,register\na@x.example,existing', 'client-id'],
    ['flags that contradict each other', 'mailbox,register,client-id\na@x.example,auto,11111111-2222-3333-4444-555555555555', 'register'],
    [
      'a way to sign in that the product does not have',
      'mailbox,for,redirect-uri,sign-in\na@x.example,osticket,https://x.example/cb,password',
      'sign-in',
    ],
    [
      'a file that is missing',
      'mailbox,client-id,client-secret-file\na@x.example,11111111-2222-3333-4444-555555555555,/no/such.txt',
      'client-secret-file',
    ],
    ['a missing password', 'mailbox,for,sign-in\na@x.example,kaseya,password', 'password-file'],
    ['a sheet of an unknown kind', 'mailbox,handover\na@x.example,sheet.doc', 'handover'],
    ['a number out of range', 'mailbox,client-type,secret-months\na@x.example,confidential,99', 'secret-months'],
    ['the ID of the tenant in place of the app', 'mailbox,client-id\na@contoso.example,5a4db0c5-c0de-4a11-b0b5-c0ffee000365', 'client-id'],
  ])('%s is exit 2, with row and column', async (_, text, column) => {
    expect(await faults(`${text}\n`)).toEqual([[2, column]]);
  });

  it('the second of two rows for one mailbox and product, however the address is written', async () => {
    expect(await faults('mailbox,for\na@x.example,\nA@X.example,this-computer\na@x.example,mspbots\n')).toEqual([[3, 'mailbox']]);
  });

  it('all faults of all rows are said, to a person line by line', async () => {
    const ran = await from('mailbox,for,colour\na@x.example,osticke,\nnobody,,\nb@x.example,,\n', '--yes');
    expect([ran.exit, ran.out]).toEqual([2, '']);
    expect(ran.err).toMatch(/Row 1, column colour: .*\n.*Row 2, column for: .*\n.*Row 3, column mailbox: /);
    expect(ran.err).toContain('3 faults in ');
    expect(await countOf(m)).toMatchObject({ apps: 0 });
  });

  it('one fault is the error itself', async () => {
    const ran = await from('mailbox\nnobody\n');
    expect(errorOf(ran)).toMatchObject({ title: expect.stringMatching(/^Row 2, column mailbox: /), detail: { row: 2, column: 'mailbox' } });
  });

  it('a secret is never printed', async () => {
    for (const words of ['--yes', '--yes --json']) {
      const ran = await from('mailbox,client-secret\na@x.example,hunter2\n', words);
      expect([ran.exit, ran.out + ran.err]).toEqual([2, expect.not.stringContaining('hunter2')]);
    }
  });

  it('without --yes and without a person: exit 3, and nothing is changed', async () => {
    const ran = await from(four, '--json');
    expect([ran.exit, errorOf(ran)?.code, await countOf(m)]).toEqual([3, 'needs-yes', expect.objectContaining({ apps: 0 })]);
    expect(errorOf(ran)?.next[0]).toMatch(/--from .*--yes/);
  });

  it('a person sees the plan and is asked once; No changes nothing', async () => {
    const { prompts, unasked } = person([['Go on?', false]]);
    const ran = await from(four, '--no-color', { terminal: true, prompts });
    expect([ran.exit, unasked(), await countOf(m)]).toEqual([1, [], expect.objectContaining({ apps: 0 })]);
    expect(ran.err).toMatch(/4 set-ups in 2 tenants: 4 new\./);
    expect(ran.err).toMatch(/signs in 2 times, once for each tenant/);
  });

  it('--dry-run shows the plan, makes no report and leaves everything as it is', async () => {
    const ran = await from(four, `--dry-run --report ${place('report.jsonl')}`);
    expect([ran.exit, ran.out]).toEqual([
      0,
      expect.stringMatching(/2 {2}a@alpha\.example {2}this-computer {2}alpha\.example {2}registers an app/),
    ]);
    const json = await from(four, '--dry-run --json');
    expect(dataOf(json)).toMatchObject({
      dryRun: true,
      rows: [
        { row: 2, mailbox: 'a@alpha.example', for: 'this-computer', tenant: 'alpha.example', state: 'new', register: 'auto' },
        {},
        {},
        {},
      ],
      summary: { total: 4, new: 4, interrupted: 0, finished: 0, signIns: { administrator: 2, exchange: 0, mailbox: 0 } },
    });
    expect(await countOf(m)).toMatchObject({ apps: 0 });
    expect([await systemFiles.list(place('sandbox/setups')), await systemFiles.list(place('sandbox/mailboxes'))]).toEqual([[], []]);
    await expect(reportOf()).rejects.toThrow('ENOENT');
  });

  it('--template prints a list that --from takes as it is', async () => {
    const printed = await m.mailauth('setup --template');
    expect([printed.exit, printed.out]).toEqual([0, expect.stringMatching(/^mailbox,for,/)]);
    expect((await from(printed.out, '--dry-run')).exit).toBe(0);
    const json = await m.mailauth('setup --template --json');
    expect(dataOf(json).template).toBe(printed.out);
  });

  it('a report where no folder can be made is said to be so', async () => {
    await writeFile(place('file'), '');
    const impossible = [place('file/a/report.jsonl'), ...(process.platform === 'linux' ? ['/proc/mailauth/a/report.jsonl'] : [])];
    for (const report of impossible) {
      const ran = await from(four, `--yes --json --report ${report}`);
      expect([ran.exit, errorOf(ran)?.code]).toEqual([1, 'write-failed']);
    }
  });

  it('a report is never written over another file', async () => {
    const text = `${header}a@alpha.example,,,skip,true\n`;
    const ran = await from(text, `--yes --json --report ${place('list.csv')}`);
    expect([ran.exit, errorOf(ran)?.code, await readFile(place('list.csv'), 'utf8')]).toEqual([2, 'report-place-taken', text]);
    expect(await countOf(m)).toMatchObject({ apps: 0 });
  });

  it.each([
    ['setup --dry-run', '--dry-run needs --from'],
    ['setup --report r.jsonl', '--report needs --from'],
    ['setup --from list.csv --handover sheet.html', 'column handover'],
    ['setup --from list.csv --client-secret-file -', 'name a file'],
  ])('%s is wrong usage', async (words, why) => {
    const ran = await m.mailauth(`${words} --json`);
    expect([ran.exit, errorOf(ran)?.title]).toEqual([2, expect.stringContaining(why)]);
  });

  it('a file that is not there', async () => {
    const ran = await m.run(['setup', '--from', place('none.csv'), '--json'], { longInput });
    expect([ran.exit, errorOf(ran)]).toEqual([2, expect.objectContaining({ code: 'list-unreadable', why: 'There is no such file.' })]);
    await rm(place('none.csv'), { force: true });
  });
});
