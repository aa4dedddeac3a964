// Ways to the mail servers of a running sandbox, as far away as Microsoft's: what a server says arrives so many milliseconds later.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** Commands that join the sandbox of this home take these ways from now on. Answers how to end them. */
export async function slowWays(sandboxHome, delayMs) {
  const file = join(sandboxHome, 'running.json');
  const running = JSON.parse(readFileSync(file, 'utf8'));
  const ways = await Promise.all(['imap', 'pop', 'smtp'].map(async (name) => ({ name, way: await slowWay(running[name], delayMs) })));
  writeFileSync(file, JSON.stringify({ ...running, ...Object.fromEntries(ways.map(({ name, way }) => [name, way.port])) }));
  return () => {
    for (const { way } of ways) way.close();
  };
}

async function slowWay(to, delayMs) {
  const open = new Set();
  const server = createServer((client) => {
    const upstream = connect(to, 'localhost');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true).on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(upstream);
    upstream.on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
    upstream.on('end', () => setTimeout(() => client.end(), delayMs));
    client.on('close', () => upstream.destroy());
  });
  await new Promise((done) => server.listen(0, 'localhost', done));
  return {
    port: server.address().port,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
