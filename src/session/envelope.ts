import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import { allShown, type Surroundings, shown } from '../core/shown.ts';

/** What `--json` prints (docs/contract.md, "JSON"). Fields are added, never renamed. */
export function envelope(command: string, outcome: { data?: unknown; error?: MailauthError | undefined }, here: Surroundings): object {
  const { data, error } = outcome;
  return {
    schema: 'mailauth/1',
    ok: error === undefined,
    command,
    ...defined({ data }),
    ...(error === undefined ? {} : { error: errorJson(error, here) }),
  };
}

/** An error for programs: its next steps as lines, of which the first is to be run. */
function errorJson(error: MailauthError, here: Surroundings) {
  return {
    code: error.code,
    exit: error.exit,
    title: error.title,
    why: error.why ?? '',
    next: allShown(error.next, here),
    ...(error.admin === undefined ? {} : { admin: shown(error.admin, here) }),
    ...defined({ retryHelps: error.retryHelps }),
    detail: error.detail,
  };
}
