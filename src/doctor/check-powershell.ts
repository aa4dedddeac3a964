import type { Context } from '../core/context.ts';
import { hasExchangeModule } from '../exchange/through-powershell.ts';
import { type Check, ok } from './check.ts';

/** PowerShell may start slowly, and looks through all its folders of modules. */
const patienceMs = 25_000;

/** Microsoft's supported way to Exchange Online. Nothing is wrong without it: the wizard, the web call and printed lines need none. */
export const powershellCheck = ({ powershell, clock }: Pick<Context, 'powershell' | 'clock'>): Check => ({
  id: 'powershell',
  title: 'Exchange PowerShell',
  limitMs: patienceMs,
  async run() {
    const { program } = powershell;
    if (program === undefined) return ok('pwsh is not installed; mailauth exchange has other ways');
    if (await hasExchangeModule(powershell, clock)) return ok(`${program}, with the module ExchangeOnlineManagement`);
    return ok(`${program}, without the module ExchangeOnlineManagement; mailauth exchange has other ways`);
  },
});
