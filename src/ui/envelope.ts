import { MailauthError } from '../core/errors.ts';

/** What `--json` prints (contract section 4). Fields are added, never renamed. */
export function envelope(command: string, outcome: { data?: unknown; error?: MailauthError | undefined }, globals?: ContextFlags): object {
  const error = outcome.error === undefined ? undefined : inThisContext(outcome.error, globals);
  return {
    schema: 'mailauth/1',
    ok: error === undefined,
    command,
    ...(outcome.data === undefined ? {} : { data: outcome.data }),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            exit: error.exit,
            title: error.title,
            why: error.why ?? '',
            next: error.next,
            ...(error.admin === undefined ? {} : { admin: error.admin }),
            ...(error.retryHelps === undefined ? {} : { retryHelps: error.retryHelps }),
            detail: error.detail,
          },
        }),
  };
}

export interface ContextFlags {
  readonly sandbox: boolean;
}

/** The catalogue's commands, made to work where they were caused: in the sandbox they need its flag. */
export function inThisContext(error: MailauthError, flags?: ContextFlags): MailauthError {
  if (flags?.sandbox !== true) return error;
  return new MailauthError({
    code: error.code,
    exit: error.exit,
    title: error.title,
    next: error.next.map(inSandbox),
    detail: error.detail,
    cause: error.cause,
    ...(error.why === undefined ? {} : { why: error.why }),
    ...(error.admin === undefined ? {} : { admin: error.admin }),
    ...(error.retryHelps === undefined ? {} : { retryHelps: error.retryHelps }),
  });
}

/** `mailauth login a@b   (comment)` → `mailauth login a@b --sandbox   (comment)` */
export function inSandbox(line: string): string {
  const [command = '', comment] = line.split(/ {3}(?=\()/, 2);
  if (!command.startsWith('mailauth ') || command.includes('--sandbox') || command.startsWith('mailauth help')) return line;
  return comment === undefined ? `${command} --sandbox` : `${command} --sandbox   ${comment}`;
}
