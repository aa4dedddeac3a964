import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type Office, openOffice, type Seat } from './rigs/office.ts';
import { type Postfix, startPostfix } from './rigs/postfix.ts';

const program = resolve(import.meta.dirname, '../../bin/mailauth.js');

let office: Office;
let postfix: Postfix;
let seat: Seat;
/** a script that other programs start as their sendmail */
let sendmail: string;
let home: string;
/** between mailauth and Postfix: it can be stopped at any command */
let gate: Gate;

beforeAll(async () => {
  office = await openOffice();
  postfix = await startPostfix(office.dovecot);
  gate = await openGate(postfix.ports.submission);
  seat = await office.seat();
  const cloud = JSON.parse(await readFile(seat.cloudFile, 'utf8'));
  const cloudFile = join(seat.folder, 'with-smtp.json');
  await writeFile(cloudFile, JSON.stringify({ ...cloud, smtp: { host: 'localhost', port: gate.port, security: 'starttls' } }));
  const flags = ['--mailbox', seat.mailbox, '--client-id', seat.app.clientId, '--cloud-file', cloudFile, '--protocols', 'smtp', '--yes'];
  const setup = await seat.run(['setup', ...flags]);
  expect(setup.code, setup.stderr).toBe(0);
  home = join(seat.folder, 'user');
  await mkdir(home);
  sendmail = join(home, 'sendmail');
  const variables = Object.entries(seat.env).map(([name, value]) => `export ${name}='${value}'\n`);
  await writeFile(sendmail, `#!/bin/sh\n${variables.join('')}exec '${process.execPath}' '${program}' send "$@"\n`);
  await chmod(sendmail, 0o755);
});

afterAll(async () => {
  gate?.close();
  await postfix?.stop();
  await office?.close();
});

interface Gate {
  readonly port: number;
  /** the piece of this number that the client sends goes no further; `then` is called when it comes */
  stopAt(piece: number, then: () => void): void;
  /** the server's answer to a large message goes no further; `then` is called when it comes */
  holdAnswer(then?: () => void): void;
  letGo(): void;
  close(): void;
}

/** More than everything else that a client sends. */
const largeBytes = 100_000;

/** A relay of bytes. Behind STARTTLS it cannot read, so there it counts what the client sends: mostly a piece for each command. */
async function openGate(target: number): Promise<Gate> {
  let at: { readonly piece?: number; readonly answer?: true; readonly then: () => void } | undefined;
  const port = await freePort();
  const server: Server = createServer((client: Socket) => {
    const behind = connect(target, '127.0.0.1');
    let pieces = 0;
    let sent = 0;
    client.on('data', (bytes) => {
      pieces += 1;
      sent += bytes.length;
      if (at?.piece === pieces) at.then();
      else behind.write(bytes);
    });
    behind.on('data', (bytes) => {
      if (at?.answer === true && sent > largeBytes) at.then();
      else client.write(bytes);
    });
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  return {
    port,
    stopAt(piece, then) {
      at = { piece, then };
    },
    holdAnswer(then = () => undefined) {
      at = { answer: true, then };
    },
    letGo() {
      at = undefined;
    },
    close: () => server.close(),
  };
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** As cron starts a program: hardly any environment. */
function start(command: string, args: readonly string[], input: string | Buffer): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(command, args, { env: { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }, cwd: home, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<Ended>((done, fail) =>
    child.once('error', fail).once('close', (code, signal) => done({ code, signal, output })),
  );
  return { child, ended };
}
const run = (command: string, args: readonly string[], input: string | Buffer = ''): Promise<Ended> => start(command, args, input).ended;

/** The one message with this text, without what Postfix put on top of it. */
async function delivered(text: string): Promise<string> {
  let found: readonly string[] = [];
  await expect
    .poll(
      async () => {
        found = (await postfix.kept())
          .map((bytes) => bytes.toString('latin1'))
          .filter((bytes) => bytes.slice(0, bytes.indexOf('\n\n')).includes(text));
        return found.length;
      },
      { timeout: 30_000 },
    )
    .toBe(1);
  return (found[0] ?? '').replace(/^(?:Received: [^\n]*\n(?:[ \t][^\n]*\n)*)+/, '');
}

const complete = (mark: string) =>
  `From: helpdesk@contoso.example\nDate: Fri, 27 Nov 2026 12:00:00 +0000\nMessage-ID: <${mark}@x>\nSubject: ${mark}\n`;

describe('a real Postfix has the message byte for byte', () => {
  it.each<[string, string, string]>([
    ['dots', 'dots', '.\n..\n.x\nx.\n'],
    ['8 bits that are no UTF-8', 'bits', '\xe9\xff\x80\n'],
    ['NUL and other controls', 'controls', 'a\x01b\0c\x7f\n'],
    ['a line of 10,000 characters', 'long', `${'x'.repeat(10_000)}\n`],
    ['no end of the last line', 'unended', 'the end'],
    ['lines of both kinds', 'both', 'a\r\nb\nc\r\n'],
    ['a megabyte', 'large', `${'0123456789abcdef'.repeat(4)}\n`.repeat(16_000)],
  ])('%s', async (_, mark, body) => {
    const { code, output } = await run(sendmail, ['-i', 'ada@elsewhere.example'], Buffer.from(`${complete(mark)}\n${body}`, 'latin1'));
    expect([code, output]).toEqual([0, '']);
    expect(await delivered(`Message-ID: <${mark}@x>`)).toBe(
      `${complete(mark)}\n${body.replaceAll('\r\n', '\n').replace(/(?<!\n)$/, '\n')}`,
    );
  });
});

describe('what calls sendmail', () => {
  it('git send-email', async () => {
    const repository = join(home, 'repository');
    await mkdir(repository);
    const git = (...args: readonly string[]) =>
      run('git', ['-C', repository, '-c', 'user.name=Ada', '-c', 'user.email=helpdesk@contoso.example', ...args]);
    await git('init', '-q');
    await writeFile(join(repository, 'x'), 'x\n');
    await git('add', 'x');
    await git('commit', '-qm', 'by-git');
    const sent = await git(
      '-c',
      `sendemail.smtpServer=${sendmail}`,
      '-c',
      'sendemail.confirm=never',
      'send-email',
      '--to=ada@elsewhere.example',
      '-1',
    );
    expect([sent.code, sent.output]).toEqual([0, expect.stringContaining('OK. Log says')]);
    expect(await delivered('[PATCH] by-git')).toMatch(/^From: .*helpdesk@contoso\.example/m);
  });

  it('mutt', async () => {
    const rc = join(home, 'muttrc');
    await writeFile(rc, `set sendmail="${sendmail} -oem -oi"\nset from=helpdesk@contoso.example\nset use_envelope_from=yes\nset copy=no\n`);
    const sent = await run(
      'mutt',
      ['-F', rc, '-s', 'by-mutt', '-b', 'eve@elsewhere.example', 'ada@elsewhere.example'],
      'hello\n.\nstill here\n',
    );
    expect([sent.code, sent.output]).toEqual([0, '']);
    expect(await delivered('Subject: by-mutt')).toContain('hello\n.\nstill here\n');
    await expect.poll(async () => /to=<eve@elsewhere\.example>.*status=sent/.test(await postfix.log()), { timeout: 10_000 }).toBe(true);
  });

  it('PHP mail()', async () => {
    const script =
      "exit(mail('ada@elsewhere.example', 'by-php', 'hello', 'Bcc: eve@elsewhere.example', '-fhelpdesk@contoso.example') ? 0 : 1);";
    const sent = await run('php', ['-d', `sendmail_path=${sendmail} -t -i`, '-r', script]);
    expect([sent.code, sent.output]).toEqual([0, '']);
    const message = await delivered('Subject: by-php');
    expect(message).not.toContain('eve@');
    expect(message).toMatch(/^From: helpdesk@contoso\.example$/m);
  });

  it('cron of Debian', async () => {
    const sent = await run(
      sendmail,
      ['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'ada@elsewhere.example'],
      'From: root (Cron Daemon)\nTo: ada@elsewhere.example\nSubject: Cron <root@host> by-cron\nX-Cron-Env: <SHELL=/bin/sh>\n\nout\n',
    );
    expect([sent.code, sent.output]).toEqual([0, '']);
    expect(await delivered('by-cron')).toMatch(/^From: root \(Cron Daemon\)$/m);
  });

  it('the pipe transport of Postfix, one recipient at a time', async () => {
    const sent = await run(
      sendmail,
      ['-G', '-i', '-f', 'helpdesk@contoso.example', '--', 'ada@elsewhere.example'],
      `${complete('by-pipe')}\n.\n`,
    );
    expect([sent.code, sent.output]).toEqual([0, '']);
    expect(await delivered('<by-pipe@x>')).toMatch(/\n\n\.\n$/);
  });
});

describe('it never ends with 0 where no server has the message', () => {
  // In clear EHLO and STARTTLS, then the two pieces of the handshake, EHLO, AUTH, the token, MAIL, RCPT; two of them may come as one.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('killed when it has sent %i pieces', async (piece) => {
    const stopped = new Promise<void>((stop) => gate.stopAt(piece, stop));
    try {
      const { child, ended } = start(sendmail, ['-i', 'ada@elsewhere.example'], `${complete(`killed-${piece}`)}\nx\n`);
      await Promise.race([stopped, ended]);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    } finally {
      gate.letGo();
    }
  });

  const large = `${'0123456789abcdef'.repeat(4)}\n`.repeat(4_000);
  it.each<[string, NodeJS.Signals, object]>([
    ['killed', 'SIGKILL', { code: null, signal: 'SIGKILL' }],
    ['told to stop, and says so', 'SIGTERM', { code: 143, output: expect.stringContaining('the server has the whole message') }],
  ])('%s while it waits for the answer to the whole message', async (name, signal, expected) => {
    const answered = new Promise<void>((answer) => gate.holdAnswer(answer));
    try {
      const { child, ended } = start(sendmail, ['-i', 'ada@elsewhere.example'], `${complete(name.slice(0, 4))}\n${large}`);
      await answered;
      child.kill(signal);
      expect(await ended).toMatchObject(expected);
    } finally {
      gate.letGo();
    }
  });

  it('where the answer to the whole message does not come', async () => {
    gate.holdAnswer();
    try {
      const { code, output } = await run(sendmail, ['-i', '--timeout', '2', 'ada@elsewhere.example'], `${complete('lost')}\n${large}`);
      expect([code, output]).toEqual([75, expect.stringContaining('may arrive twice')]);
    } finally {
      gate.letGo();
    }
  });

  it('where nothing listens', async () => {
    gate.close();
    const { code } = await run(sendmail, ['-i', 'ada@elsewhere.example'], complete('nobody'));
    expect(code).toBe(75);
  });
});
