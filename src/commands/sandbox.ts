import * as z from 'zod/mini';
import { Interrupted } from '../core/errors.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { renderFacts } from '../ui/facts.ts';
import { type CommandModule, examples, type Outcome } from './command.ts';
import type { Session } from './session.ts';

const schema = z.object({ listFaults: z.optional(z.boolean()) });

export const sandbox: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth sandbox                           until Ctrl-C; other --sandbox commands join it',
      'mailauth sandbox --list-faults             what it can be told to do wrong',
      'mailauth setup --sandbox --yes             brings its own: none needs to run',
    ]).option('--list-faults', 'the names for --fault, and what the operator sees'),

  async run({ flags }, session) {
    if (schema.parse(flags).listFaults === true) return listFaults();
    const { openSandbox } = await import('../sandbox/sandbox.ts');
    const { ctx, globals, home } = session;
    const box = await openSandbox({ ctx, home, announce: true, ...(globals.fault === undefined ? {} : { fault: globals.fault }) });
    try {
      await announceAndWait(box, session);
    } finally {
      await box.close();
    }
    return {};
  },
};

async function announceAndWait(box: Sandbox, session: Session): Promise<void> {
  const facts = factsOf(box);
  if (session.globals.json) session.ctx.out.write(`${JSON.stringify({ type: 'listening', ...Object.fromEntries(facts) })}\n`);
  else {
    const { themeFor } = await import('../ui/theme.ts');
    const theme = themeFor(session.ctx, session.ctx.out, session.globals.noColor);
    session.ctx.out.write(
      `The sandbox is running. Nothing here is Microsoft; every name and secret is worthless.\n\n${renderFacts(facts, theme)}\n`,
    );
    session.report.note('Ctrl-C stops it. In another terminal: mailauth setup --sandbox');
  }
  await new Promise<never>((_, reject) => {
    const stop = () => reject(new Interrupted());
    if (session.ctx.signal.aborted) stop();
    session.ctx.signal.addEventListener('abort', stop, { once: true });
  });
}

async function listFaults(): Promise<Outcome> {
  const { sandboxFaults } = await import('../sandbox/faults.ts');
  const width = Math.max(...sandboxFaults.map((f) => f.name.length)) + 2;
  return { data: { faults: sandboxFaults }, text: sandboxFaults.map((f) => `  ${f.name.padEnd(width)}${f.what}\n`).join('') };
}

function factsOf(box: Sandbox): readonly (readonly [string, string])[] {
  return [
    ['Sign-in (authority)', `${box.cloud.login}/${box.tenant.id}`],
    ['Tenant domains', box.tenant.domains.join(', ')],
    ['IMAP', `${box.cloud.imap.host}:${box.cloud.imap.port} TLS`],
    ['POP', `${box.cloud.pop.host}:${box.cloud.pop.port} TLS`],
    ['SMTP', `${box.cloud.smtp.host}:${box.cloud.smtp.port} STARTTLS`],
    ['Authority (PEM)', box.caFile],
    ['Mailbox', box.defaultMailbox],
    ['Public app', box.ready.public.clientId],
    ['Confidential app', `${box.ready.confidential.clientId}, redirect ${box.ready.confidential.redirectUri}`],
  ];
}
