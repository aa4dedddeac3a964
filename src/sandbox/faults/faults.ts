import type { ClaimFault, Claims, ListedFault } from './fault.ts';
import { connectionFaults } from './faults-connection.ts';
import { exchangeFaults, exchangeRefusals } from './faults-exchange.ts';
import { graphFaults, graphRefusals } from './faults-graph.ts';
import { imapFaults, popFaults } from './faults-mail.ts';
import { graphSendRefusals, submissionFaults } from './faults-send.ts';
import { deviceFaults, signInFaults } from './faults-sign-in.ts';
import { smtpFaults } from './faults-smtp.ts';
import { adminFaults, appOnlyFaults, claimFaults, refusalFaults, tokenFaults } from './faults-token.ts';

/** How the sandbox can be told to misbehave: `--fault NAME`, one at a time. */
const areas = {
  'sign-in': signInFaults,
  administrator: adminFaults,
  token: [...tokenFaults, ...refusalFaults, ...claimFaults],
  'app-only': appOnlyFaults,
  device: deviceFaults,
  graph: [...graphFaults, ...graphRefusals],
  exchange: [...exchangeFaults, ...exchangeRefusals],
  imap: imapFaults,
  pop: popFaults,
  smtp: smtpFaults,
  send: [...submissionFaults, ...graphSendRefusals],
  connection: connectionFaults,
} as const;

export type FaultName = (typeof areas)[keyof typeof areas][number]['name'];

const names = Object.keys(areas) as (keyof typeof areas)[];

/** Grouped by area, in the order of `--list-faults`. */
export const sandboxFaults: readonly (ListedFault & { readonly name: FaultName })[] = names.flatMap((area) =>
  areas[area].map((fault) => ({ ...fault, area })),
);

/** Is this a fault the sandbox knows? The command layer reports the unknown ones (exit 2). */
export function isFault(name: string): name is FaultName {
  return sandboxFaults.some((fault) => fault.name === name);
}

const changing: readonly ClaimFault[] = [...signInFaults, ...claimFaults];

/** The claims that this fault puts in place of the right ones, in the access token and in the id_token. */
export function changedClaims(fault: string | undefined, nowSeconds: number): { readonly access: Claims; readonly identity: Claims } {
  const row = changing.find((one) => one.name === fault);
  return { access: row?.access?.(nowSeconds) ?? {}, identity: row?.identity ?? {} };
}
