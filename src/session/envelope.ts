import type { MailauthError } from '../core/errors.ts';
import { forProduct } from '../errors/for-product.ts';
import { fromHere } from '../errors/here.ts';

/** What `--json` prints (docs/contract.md, "JSON"). Fields are added, never renamed. */
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
  /** the product that the operator named with --for */
  readonly product?: string | undefined;
}

/** The catalogue's commands, made to work where they were caused. */
export function inThisContext(error: MailauthError, flags?: ContextFlags): MailauthError {
  const { product, sandbox = false } = flags ?? {};
  const named = product === undefined ? error : error.but({ next: error.next.map((line) => forProduct(line, product)) });
  return sandbox ? fromHere(named, { sandbox }) : named;
}
