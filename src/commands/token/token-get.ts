import * as z from 'zod/mini';
import { again, mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { mailboxArgument } from '../../session/mailbox-argument.ts';
import { tokenOf } from '../../session/token-for.ts';
import { formatToken, type TokenFormat, tokenFormats } from '../../tokens/formats.ts';

const schema = z.object({
  minValidity: z.optional(z.string()),
  format: z.optional(z.string()),
  forceRefresh: z.optional(z.boolean()),
  json: z.optional(z.boolean()),
});

interface Options {
  readonly minValidityMs: number;
  readonly format: TokenFormat;
  readonly force: boolean;
}

function readOptions(flags: unknown): Options {
  const f = schema.parse(flags);
  const format = f.format ?? (f.json === true ? 'json' : 'raw');
  const known = tokenFormats.find((name) => name === format);
  if (known === undefined) {
    throw problem('value-invalid', {
      what: 'token format',
      value: format,
      why: `--format takes ${tokenFormats.join(', ')}.`,
      next: again({ format: 'json' }),
    });
  }
  return {
    minValidityMs:
      f.minValidity === undefined
        ? 300_000
        : readWhole('--min-validity', f.minValidity, {
            unit: 'seconds',
            minimum: 0,
            example: again({ minValidity: 300 }),
          }) * 1000,
    format: known,
    force: f.forceRefresh === true,
  };
}

/** Mail clients and scripts call this all the time: it reads the store once and loads nothing that it does not need. */
export const tokenGet: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth token get helpdesk@contoso.com',
      'mailauth token get --format xoauth2        SASL initial response, base64',
      'mailauth token get --format json           { accessToken, tokenType, expiresAt, username }',
    ])
      .option('--format <format>', 'raw, xoauth2, json or env (default: raw)')
      .option('--min-validity <seconds>', 'refresh when less than this is left (default: 300)')
      .option('--force-refresh', 'refresh now; never answers with the old token')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = readOptions(flags);
    const record = await mailboxArgument(session, mailauth('token get'), args[0], flags, { needs: 'token' });
    const set = await tokenOf(session, record, options);
    return { text: formatToken(set, record, options.format), unwrapped: true };
  },
};
