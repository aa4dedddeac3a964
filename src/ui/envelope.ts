import type { MailauthError } from '../core/errors.ts';
import { fromHere } from '../diagnose/here.ts';

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

/** The catalogue's commands, made to work where they were caused. */
export function inThisContext(error: MailauthError, flags?: ContextFlags): MailauthError {
  return flags?.sandbox === true ? fromHere(error, { sandbox: true }) : error;
}
