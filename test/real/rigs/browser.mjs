/**
 * `node browser.mjs CA LOG FOLDER ADDRESS`: stands where a browser stands (BROWSER). Follows redirects to the last page and notes
 * in LOG, one JSON line each, every page, and before and after them what the processes of FOLDER show to other users of this
 * computer (arguments) and to their own (environment). Where the way
 * back was not accepted it opens the address once more, as a person would.
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

const [caFile, log, folder, address] = process.argv.slice(2);
const ca = readFileSync(caFile);
const note = (entry) => appendFileSync(log, `${JSON.stringify(entry)}\n`);

function get(url) {
  return new Promise((done, fail) => {
    const secure = url.protocol === 'https:';
    const sent = (secure ? tlsRequest : plainRequest)(url, { ...(secure ? { ca } : {}), agent: false }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => done({ status: res.statusCode, location: res.headers.location, body }));
    });
    sent.on('error', fail).end();
  });
}

async function visit(from) {
  let url = new URL(from);
  for (let hops = 0; hops < 8; hops++) {
    const { status, location, body } = await get(url);
    note({ page: url.href, status, body });
    if (location === undefined) return status === 400 && url.search !== '';
    url = new URL(location, url);
  }
  return false;
}

function lookAround() {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (environ.includes(folder)) note({ pid, argv: readFileSync(`/proc/${pid}/cmdline`, 'utf8'), environ });
    } catch {
      // it has ended meanwhile
    }
  }
}

try {
  lookAround();
  if (await visit(address)) await visit(address);
  lookAround();
} catch (error) {
  note({ failed: String(error) });
}
