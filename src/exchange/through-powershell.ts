import * as z from 'zod/mini';
import { type Cloud, scriptNames } from '../core/cloud.ts';
import type { Cmdlet } from '../core/cmdlet.ts';
import type { Clock, LineTalk, PowerShell } from '../core/context.ts';
import { redact } from '../core/redact.ts';
import type { Reporter } from '../core/run-parts.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { reasonOfWords } from './exchange-answer.ts';
import { bridgeScript } from './powershell-bridge.ts';
import type { ExchangeRefusal, ExchangeWay } from './way.ts';

interface PowerShellDeps {
  readonly powershell: PowerShell;
  readonly tenantId: string;
  readonly cloud: Cloud;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly report: Reporter;
  /** of the sign-in, in a window of Microsoft's own */
  readonly signInMs: number;
  /** of one cmdlet */
  readonly timeoutMs: number;
}

const lineSchema = z.union([
  z.object({ kind: z.literal('ready'), tenants: z.array(z.string()), user: z.catch(z.string(), '') }),
  z.object({ kind: z.literal('no-module') }),
  z.object({ kind: z.literal('failed'), said: z.string() }),
  z.object({ kind: z.literal('ok'), objects: z.array(z.unknown()) }),
  z.object({ kind: z.literal('refused'), said: z.string(), id: z.catch(z.string(), '') }),
]);
type Line = z.infer<typeof lineSchema>;

/**
 * Microsoft's module ExchangeOnlineManagement in PowerShell 7: the way that Microsoft supports. It signs the administrator in by itself, so
 * mailauth sees no password and no token. One session serves all cmdlets. Throws `powershell-module-missing` where either is not there, and
 * answers a refusal where the sign-in ends in another tenant, or not at all.
 */
export async function openPowerShell(
  deps: PowerShellDeps,
): Promise<{ readonly kind: 'open'; readonly way: ExchangeWay; readonly administrator: string } | ExchangeRefusal> {
  const { powershell, report, tenantId } = deps;
  if (powershell.program === undefined) throw problem('powershell-module-missing', {});
  report.progress(
    'exchange',
    'waiting',
    `Microsoft's Exchange Online module signs you in, in a window of its own: as an Exchange administrator (${Math.max(1, Math.round(deps.signInMs / 60_000))} min at most).`,
  );
  const talk = powershell.start(bridgeScript(scriptNames(deps.cloud)?.exchangePowerShell));
  const first = await nextLine(talk, deps.signInMs, deps.clock);
  if (first?.kind === 'no-module') {
    await talk.end();
    throw problem('powershell-module-missing', {});
  }
  const isHere = first?.kind === 'ready' && first.tenants.some((one) => one.toLowerCase() === tenantId.toLowerCase());
  if (first?.kind === 'ready' && isHere) {
    report.progress('exchange', 'done', `Signed in for Exchange Online${first.user === '' ? '' : `: ${plain(first.user)}`}`);
    return { kind: 'open', way: wayThrough(talk, deps), administrator: plain(first.user) };
  }
  await talk.end();
  if (first?.kind === 'ready') return refused('token', `That sign-in is of another tenant than ${tenantId}.`);
  const said = first?.kind === 'failed' ? first.said : talk.complaint;
  return refused('token', said === '' ? 'PowerShell ended, or the sign-in was not finished in time.' : plain(redact(said)));
}

/** Is Microsoft's module installed for the PowerShell that is in the PATH? */
export async function hasExchangeModule(powershell: PowerShell, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
  if (powershell.program === undefined) return false;
  const talk = powershell.start(moduleScript);
  const line = await nextLine(talk, moduleMs, clock);
  await talk.end();
  return line?.kind === 'ok';
}

/** PowerShell starts in one to six seconds, and looks through its folders of modules. */
const moduleMs = 20_000;
const moduleScript =
  'if (Get-Module -ListAvailable -Name ExchangeOnlineManagement) { [Console]::Out.WriteLine(\'{"kind":"ok","objects":[]}\') }';

function wayThrough(talk: LineTalk, deps: PowerShellDeps): ExchangeWay {
  return {
    through: 'pwsh',
    close: () => talk.end(),
    async run(cmdlet) {
      deps.report.detail(`Exchange is asked: ${cmdlet.name} ${redact(JSON.stringify(cmdlet.parameters))}`);
      talk.write(asked(cmdlet));
      const line = await nextLine(talk, deps.timeoutMs, deps.clock);
      if (line?.kind === 'ok') {
        deps.report.detail(`Exchange answers: ${redact(JSON.stringify(line.objects)).slice(0, 2_000)}`);
        return { kind: 'ok', objects: line.objects };
      }
      if (line?.kind === 'refused') {
        const said = plain(redact(line.said).replace(/^[^|]{0,40}\|[^|]{0,200}\|/, ''));
        deps.report.detail(`Exchange refuses: ${said}`);
        return refused(reasonOfWords(`${line.id}\n${line.said}`) ?? 'other', said);
      }
      // Whether the cmdlet was run is not known.
      await talk.end();
      return refused('unreadable', `PowerShell gave no answer to ${cmdlet.name}.`);
    },
  };
}

/** In one line, as `ConvertFrom-Json` reads it. */
const asked = ({ name, parameters }: Cmdlet): string => JSON.stringify({ name, parameters });

const refused = (reason: ExchangeRefusal['reason'], said: string): ExchangeRefusal => ({ kind: 'refused', reason, said });

/** undefined: the program has ended, was silent for too long, or wrote something else. Lines that are no JSON are banners and warnings. */
async function nextLine(talk: LineTalk, limitMs: number, clock: Pick<Clock, 'sleep'>): Promise<Line | undefined> {
  const over = new AbortController();
  const late = clock.sleep(limitMs, over.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    for (;;) {
      const text = await Promise.race([talk.read(), late]);
      if (text === undefined) return undefined;
      const read = lineSchema.safeParse(json(text));
      if (read.success) return read.data;
    }
  } finally {
    over.abort();
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
