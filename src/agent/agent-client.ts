import { isAbsolute, join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { MailboxKey } from '../core/mailbox.ts';

/**
 * Where the agent listens, and where programs look for it. The sandbox's agent is reached in its own home, so that it never stands where
 * programs look for the real one.
 */
export function defaultSocket({ env }: Pick<Context, 'env'>, home: string, isSandbox: boolean): string {
  const { XDG_RUNTIME_DIR: runtime = '' } = env;
  return isAbsolute(runtime) && !isSandbox ? join(runtime, 'mailauth', 'agent.sock') : join(home, 'agent.sock');
}

interface Question {
  readonly socket: string;
  /** of the home that the configuration is made in: another one may have a mailbox of the same name */
  readonly homeId: string;
  readonly key: MailboxKey;
  /** the mailbox is set up for several products */
  readonly isOneOfSeveral: boolean;
}

/** `curl` word by word: prints what `token get` prints, and ends with an exit code that is not 0 where the agent has no token to give. */
export function askAgent({ socket, homeId, key, isOneOfSeveral }: Question): readonly string[] {
  const mailbox = encodeURIComponent(key.mailbox).replaceAll('%40', '@');
  const url = `http://mailauth/token/${mailbox}${isOneOfSeveral ? `?for=${key.for}` : ''}`;
  return ['curl', '--silent', '--show-error', '--fail', '--unix-socket', socket, '--header', `X-Mailauth-Home: ${homeId}`, url];
}
