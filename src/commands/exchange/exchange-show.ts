import { powerShellLine } from '../../core/cmdlet.ts';
import { problem } from '../../errors/problem.ts';
import type { ExchangeState } from '../../exchange/exchange-state.ts';
import { type Change, changesFor, changeWords, linesOf } from '../../exchange/needs.ts';
import { principalProblem, readState } from '../../exchange/read-state.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { renderFacts } from '../../ui/tables.ts';
import { exchangeOptions, exchangeWork, printed } from './exchange-work.ts';

export const exchangeShow: CommandModule = {
  configure: (command) =>
    examples(exchangeOptions(command), [
      'mailauth exchange show helpdesk@contoso.com',
      'mailauth exchange show helpdesk@contoso.com --through print    lines for PowerShell',
    ]),

  async run(invocation, session) {
    const work = await exchangeWork(session, 'exchange show', invocation);
    const { use, spot, through } = work;
    const { mailbox } = use;
    if (through === 'print') return printed(work, { ...unread, mailbox, through });
    const calls = await work.open();
    try {
      const state = await readState(calls, use);
      const missing = changesFor(use, state);
      const { kind, organization, switches, rights, servicePrincipal } = state;
      const data = {
        ...{ mailbox, kind, organization, switches, rights, servicePrincipal },
        missing: missing.map(({ what, cmdlet }) => ({ what, cmdlet: powerShellLine(cmdlet) })),
        through,
      };
      const text = (theme: Parameters<typeof renderFacts>[1]) => renderFacts(factsOf(mailbox, state, missing), theme);
      const about = { ...spot, lines: linesOf(missing, work.record.cloud), changed: [], missing: missing.map(changeWords) };
      // With the object id of another object nothing is missing, and every sign-in fails.
      const wrong = principalProblem(state, use, about);
      if (missing.length === 0 && wrong === undefined) return { data, text };
      return { data, text, error: wrong ?? problem('exchange-not-ready', about) };
    } finally {
      await calls.way.close();
    }
  },
};

/** What nobody has read. */
const unread = { kind: null, organization: null, switches: null, rights: null, servicePrincipal: null, missing: null };

type Fact = readonly [string, string];

function factsOf(mailbox: string, state: ExchangeState, missing: readonly Change[]): readonly Fact[] {
  const { kind, organization, switches, rights, servicePrincipal } = state;
  const smtpAuth = switches.smtpAuth === 'inherited' ? `${organization.smtpAuth} (organisation)` : switches.smtpAuth;
  const { principalName, granted } = state;
  // Exchange lists an app by the object id of its service principal, or by a name that several apps can have.
  const isApp = (name: string, hasRight: boolean) =>
    name.toLowerCase() === servicePrincipal?.objectId || (hasRight && name === principalName);
  const list = (names: readonly string[], hasRight: boolean) =>
    names.length === 0
      ? 'nobody else'
      : names.map((name) => (isApp(name, hasRight) ? `${principalName ?? name} (this app)` : name)).join('\n');
  return [
    ['Mailbox', mailbox],
    ['Kind', kind],
    ['IMAP', switches.imap],
    ['POP', switches.pop],
    ['SMTP AUTH', smtpAuth],
    ['Full Access', list(rights.fullAccess, granted.fullAccess)],
    ['Send As', list(rights.sendAs, granted.sendAs)],
    ...(servicePrincipal === null ? [] : [['App in Exchange', servicePrincipal.objectId] as const]),
    ['Missing', missing.length === 0 ? 'nothing for this set-up' : missing.map(changeWords).join('\n')],
  ];
}
