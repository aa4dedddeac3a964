#!/usr/bin/env node
// Gate first: an old Node gets one kind line instead of a syntax error from the program itself.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `mailauth needs Node.js 20.19 or newer; this is ${process.versions.node}. Install the current LTS from https://nodejs.org and run it again.`,
  );
  process.exitCode = 1;
} else {
  // Mail clients and cron jobs call this one thousands of times: a file of its own, with nothing else in it.
  const isTokenGet = ['token', 'get'].every((word) => process.argv.includes(word));
  const { MAILAUTH_DATABASE_URL: address, MAILAUTH_DATABASE_URL_FILE: file } = process.env;
  const quick = address || file ? '../dist/quick-database.cjs' : '../dist/quick.cjs';
  require(isTokenGet ? quick : '../dist/main.cjs').main();
}
