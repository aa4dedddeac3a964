import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Reporter } from '../core/run-parts.ts';

type Variable = readonly [name: string, value: string];

export const carriedValues = ({ env }: Pick<Context, 'env'>, names: readonly string[]): readonly Variable[] =>
  names.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));

/** Those that name files, with whole paths: a job of cron or systemd starts in another folder. */
export const carriedPaths = (ctx: Pick<Context, 'env'>, names: readonly string[]): readonly Variable[] =>
  carriedValues(ctx, names).map(([name, value]) => [name, resolve(value)]);

/** A proxy's password is a secret: that variable is left out, and a note says so. */
export const carriedProxies = ({
  ctx,
  report,
}: {
  readonly ctx: Pick<Context, 'env'>;
  readonly report: Pick<Reporter, 'note'>;
}): readonly Variable[] =>
  carriedValues(ctx, proxyVariables).filter(([name, value]) => {
    const isSafe = !/@/.test(value) || /^no_proxy$/i.test(name);
    if (!isSafe) report.note(`${name} has a user name or password in it and is not written here: set it where the program runs`);
    return isSafe;
  });

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];
