import type { MailHost, Protocol, ProtocolWord } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import type { Line, NextStep } from '../core/next.ts';
import { allShown, type Surroundings, shown } from '../core/shown.ts';
import type { Stage, StageRun } from './stages.ts';

/** Why a protocol test is red, in the words of the catalogue. */
interface Diagnosis {
  readonly code: string;
  readonly title: string;
  readonly why?: string;
  readonly next: readonly NextStep[];
  readonly admin?: string | Line;
}

/** One entry of `data.results[]` of `test --json` (docs/contract.md, "JSON"). */
export interface ProtocolResult {
  readonly mailbox: string;
  readonly protocol: ProtocolWord;
  readonly ok: boolean;
  readonly host: string;
  readonly port: number;
  /** the name for SASL `user=` */
  readonly user: string;
  readonly stages: readonly Stage[];
  readonly diagnosis?: Diagnosis;
  /** green, and still something to know: SMTP wants another user name */
  readonly note?: Diagnosis;
  /** carries the exit code; not enumerable, so neither JSON nor a spread copies it */
  readonly error?: MailauthError;
}

/** The result of a mail server's protocol. */
export type MailResult = ProtocolResult & { readonly protocol: Protocol };

interface Tested<P extends ProtocolWord> {
  readonly mailbox: string;
  readonly protocol: P;
  readonly host: Pick<MailHost, 'host' | 'port'>;
  readonly user: string;
}

export function protocolResult<P extends ProtocolWord>(of: Tested<P>, run: StageRun): ProtocolResult & { readonly protocol: P } {
  const { mailbox, protocol, user } = of;
  const base = { mailbox, protocol, ok: run.failure === undefined, host: of.host.host, port: of.host.port, user, stages: run.stages };
  return run.failure === undefined ? base : withDiagnosis(base, run.failure.error);
}

/** The same result, red for this reason. */
export function withDiagnosis<R extends ProtocolResult>(result: R, error: MailauthError): R {
  const red = { ...result, ok: false, diagnosis: diagnosisOf(error) };
  return Object.defineProperty(red, 'error', { value: error, enumerable: false });
}

/** The same green result with something to know. */
export const withNote = <R extends ProtocolResult>(result: R, note: MailauthError): R => ({ ...result, note: diagnosisOf(note) });

function diagnosisOf({ code, title, why, next, admin }: MailauthError): Diagnosis {
  return { code, title, next, ...defined({ why, admin }) };
}

/** The results for programs: the steps of a diagnosis as lines that work here. */
export const resultsShown = (results: readonly ProtocolResult[], here: Surroundings) =>
  results.map(({ diagnosis, note, ...result }) => ({
    ...result,
    ...defined({ diagnosis: diagnosis && diagnosisShown(diagnosis, here), note: note && diagnosisShown(note, here) }),
  }));

const diagnosisShown = ({ next, admin, ...diagnosis }: Diagnosis, here: Surroundings) => ({
  ...diagnosis,
  next: allShown(next, here),
  ...(admin === undefined ? {} : { admin: shown(admin, here) }),
});

/** A green test in one line: `signed in at outlook.office365.com:993, INBOX has 3 messages`. */
export function proofOf({ protocol, host, port, stages }: ProtocolResult): string {
  const found = stages.find((stage) => stage.name === 'mailbox')?.detail ?? '';
  if (protocol === 'graph-send') return `${stages.at(-1)?.detail ?? ''}; nothing was sent`;
  return `signed in at ${host}:${port}, ${protocol === 'smtp' ? found : `INBOX has ${found}`}`;
}

/** How far each protocol of a running test is, for its progress line; call `note` at the end of each stage. */
export function stageTally(wanted: readonly ProtocolWord[]) {
  const at = new Map<ProtocolWord, string>(wanted.map((protocol) => [protocol, '']));
  return {
    note(protocol: ProtocolWord, { name, state }: Stage): string {
      if (state !== 'skipped') at.set(protocol, state === 'failed' ? `${name} failed` : name);
      return this.text();
    },
    text: () => `Testing ${[...at].map(([protocol, stage]) => `${protocol.toUpperCase()}${stage === '' ? '' : `: ${stage}`}`).join(', ')}`,
  };
}
