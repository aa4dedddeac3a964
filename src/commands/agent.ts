import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { defaultSocket } from '../agent/agent-client.ts';
import { serveTokens } from '../agent/serve-tokens.ts';
import { line } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { type CommandModule, examples } from '../session/command.ts';
import type { Session } from '../session/session.ts';
import { status } from './status/status.ts';

const schema = z.object({ socket: z.optional(z.string()) });

export const agent: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth agent                             until Ctrl-C; renews every token before it ends',
      'mailauth agent --socket /run/mailauth/agent.sock',
      'curl --unix-socket $XDG_RUNTIME_DIR/mailauth/agent.sock http://mailauth/token/ada@contoso.com',
      'mailauth export curl --agent               configuration that asks the agent',
    ])
      .option('--socket <path>', 'UNIX socket (default: mailauth/agent.sock in $XDG_RUNTIME_DIR, else agent.sock in MAILAUTH_HOME)')
      .addHelpText('after', requests),

  async run({ flags }, session) {
    const { socket } = schema.parse(flags);
    const { ctx, globals, home } = session;
    if (ctx.platform === 'win32') throw problem('agent-windows', {});
    if (socket === '') throw problem('agent-socket-unusable', { socket: '""', why: '--socket takes a path.' });
    return serveTokens({
      session,
      socket: socket === undefined ? defaultSocket(ctx, home, globals.sandbox) : resolve(socket),
      status: async (serving) => (await status.run({ args: [], flags: {} }, serving)).data,
      announce: (path) => announce(path, session),
    });
  },
};

const requests = `
Requests, HTTP over the socket:
  GET /token/MAILBOX     the token; ?format=raw, xoauth2, json; ?for=PRODUCT; ?min_validity=SECONDS
  GET /status            what mailauth status --json has in "data"

200 is exactly what mailauth token get prints. Everything else is a JSON object with title, code,
exit and next: 400 wrong question, 401 sign-in needed, 403 not allowed, 404 not set up, 405 not
GET, 500 failed, 503 temporary (Retry-After). Whoever can open the socket gets tokens, so it is
yours alone: 0600 in a folder of mode 0700.`;

function announce(socket: string | undefined, { ctx, globals, report }: Session): void {
  if (globals.json) {
    ctx.out.write(`${JSON.stringify({ type: 'listening', socket: socket ?? null })}\n`);
    return;
  }
  if (socket === undefined) {
    report.note('Listening on the socket that systemd has handed over.');
    return;
  }
  const ask = line`curl --unix-socket ${socket} http://mailauth/status`;
  report.note(`Listening on ${socket}. Ctrl-C stops it.`);
  // Whole, so that it can be copied.
  if (!globals.quiet) report.show(`  try: ${shown(ask, ctx.surroundings)}`);
}
