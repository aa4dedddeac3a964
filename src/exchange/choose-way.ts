import { again } from '../core/next.ts';
import type { Run } from '../core/run-parts.ts';
import { anyOf } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { hasExchangeModule } from './through-powershell.ts';
import { exchangeWays, type Through } from './way.ts';

/** `--through`. Throws `value-invalid` (exit 2). */
export function readThrough(value: string | undefined): Through | undefined {
  if (value === undefined) return undefined;
  const known = exchangeWays.find((one) => one === value);
  if (known !== undefined) return known;
  const why = `--through takes ${anyOf(exchangeWays)}.`;
  throw problem('value-invalid', { what: 'way to Exchange Online', value, why, next: again({ through: 'print' }) });
}

/** `--exchange` of `setup`. */
const setupChoices = ['ask', ...exchangeWays, 'skip'] as const;
export type ExchangeChoice = (typeof setupChoices)[number];

/** Throws `value-invalid` (exit 2). */
export function readExchangeChoice(value: string | undefined): ExchangeChoice | undefined {
  if (value === undefined) return undefined;
  const known = setupChoices.find((one) => one === value);
  if (known !== undefined) return known;
  const why = `--exchange takes ${anyOf(setupChoices)}.`;
  throw problem('value-invalid', { what: 'way to Exchange Online', value, why, next: again({ exchange: 'print' }) });
}

/** What a way means, said before it is taken. */
export const wayWords: Readonly<Record<Exclude<Through, 'print'>, string>> = {
  api: [
    "mailauth asks Exchange Online through the web call that Microsoft's own PowerShell module makes. It needs a second sign-in, as an",
    'Exchange administrator. Microsoft does not promise this call to other programs; what is not understood ends in printed lines.',
  ].join(' '),
  pwsh: "mailauth asks Exchange Online through Microsoft's own PowerShell module, which signs you in by itself, as an Exchange administrator.",
};

const choices = [
  {
    value: 'api',
    name: 'mailauth asks Exchange Online itself',
    description: 'a second sign-in in the browser, as an Exchange administrator',
  },
  { value: 'print', name: 'Print the lines', description: 'for Exchange Online PowerShell; nobody is asked' },
] as const;

/** Microsoft's module where it is installed: that is the way that Microsoft supports. It knows nothing of the sandbox. */
export async function usualWay({ ctx }: Pick<Run, 'ctx'>, { isSandbox }: { readonly isSandbox: boolean }): Promise<'api' | 'pwsh'> {
  if (ctx.env.MAILAUTH_EXCHANGE_TOKEN || isSandbox) return 'api';
  return (await hasExchangeModule(ctx.powershell, ctx.clock)) ? 'pwsh' : 'api';
}

/**
 * The way where none was named: a token that was given is for `api`; Microsoft's module where it is installed, which signs in by itself (it
 * knows nothing of the sandbox); else a person chooses, and where nobody is there the lines are printed.
 */
export async function chooseWay(
  { ctx, report, canAsk }: Pick<Run, 'ctx' | 'report' | 'canAsk'>,
  where: { readonly isSandbox: boolean },
): Promise<Through> {
  const usual = await usualWay({ ctx }, where);
  if (ctx.env.MAILAUTH_EXCHANGE_TOKEN || usual === 'pwsh' || canAsk) report.note(wayWords[usual]);
  if (ctx.env.MAILAUTH_EXCHANGE_TOKEN || usual === 'pwsh') return usual;
  return canAsk ? ctx.prompts.select({ message: 'How is Exchange Online asked?', choices, default: 'api' }) : 'print';
}
