// Part of `npm run bench`: `send`, from its start to the moment the server says that it has the message, beside a bare Node.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';

/** Answers at once, and says so: its own time is that of the TLS handshake. */
async function fastServer() {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  let taken = () => undefined;
  const replies = {
    EHLO: (name) => `250-localhost\r\n250-8BITMIME\r\n250-${name}\r\n250 SIZE`,
    AUTH: () => '334 ',
    DATA: () => '354 go',
    STAR: () => '220 go',
  };
  const accepts = { MAIL: '250 OK', RCPT: '250 OK', QUIT: '221 bye' };
  const talk = (socket, offer) => {
    let waiting = '';
    let inMessage = false;
    /** Answers one line; false: from here on TLS speaks. */
    const answer = (line) => {
      const verb = line.slice(0, 4).toUpperCase();
      if (inMessage && line !== '.') return true;
      socket.write(`${inMessage ? '250 2.0.0 OK' : (replies[verb]?.(offer) ?? accepts[verb] ?? '235 OK')}\r\n`);
      if (inMessage) taken(performance.now());
      inMessage = verb === 'DATA';
      return verb !== 'STAR';
    };
    const onData = (chunk) => {
      const lines = `${waiting}${chunk}`.split('\r\n');
      waiting = lines.pop();
      if (lines.every(answer)) return;
      socket.off('data', onData);
      talk(new TLSSocket(socket, { isServer: true, key, cert }), 'AUTH XOAUTH2');
    };
    socket.on('data', onData).on('error', () => socket.destroy());
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true).write('220 localhost ESMTP\r\n');
    talk(socket, 'STARTTLS');
  });
  await new Promise((ready) => server.listen(0, 'localhost', ready));
  return { cert, port: server.address().port, whenTaken: () => new Promise((resolve) => (taken = resolve)), close: () => server.close() };
}

export async function sendBench({ bin, folder, env, write, keyFile, row, median, runs }) {
  const server = await fastServer();
  const ca = join(folder, 'bench-ca.pem');
  writeFileSync(ca, server.cert);
  const own = {
    ...env,
    MAILAUTH_HOME: join(folder, 'send-home'),
    MAILAUTH_KEY_FILE: keyFile,
    NODE_EXTRA_CA_CERTS: ca,
    BENCH_SMTP_PORT: String(server.port),
  };
  write(own, 0, 1, keyFile);
  const ended = (child) => new Promise((done) => child.once('close', done));
  const run = async (args, until) => {
    const began = performance.now();
    const child = spawn(process.execPath, args, { env: own, stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end('To: ada@contoso.example\nSubject: bench\n\nhello\n');
    const [at, exit] = await Promise.all([until?.(), ended(child)]);
    if (exit !== 0) throw new Error(`${args.join(' ')} ended with ${exit}`);
    return (at ?? performance.now()) - began;
  };
  const times = { bare: [], send: [] };
  for (let i = 0; i < runs; i += 1) {
    times.bare.push(await run(['-e', '0']));
    times.send.push(await run([bin, 'send', '-t', '-i'], server.whenTaken));
  }
  server.close();
  const [bare, send] = [median(times.bare), median(times.send)];
  row(
    'send, start -> accepted (goal 5)',
    `${send.toFixed(1)} ms`,
    `${(send / bare).toFixed(2)} x bare, the TLS handshake of the server included`,
  );
}
