import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../../src/core/cloud.ts';
import type { Files } from '../../../../src/core/context.ts';
import type { Registration } from '../../../../src/core/mailbox.ts';
import type { Answers, Known, RegisterWay } from '../../../../src/setup/answers/answers.ts';
import type { Flags } from '../../../../src/setup/answers/question.ts';
import { earlierAnswers, remainingAnswers } from '../../../../src/setup/answers/remaining-answers.ts';
import { Said } from '../../../../src/setup/answers/said.ts';
import { Journal } from '../../../../src/setup/journal/journal.ts';
import { journals } from '../../../../src/setup/journal/journal-file.ts';
import { testContext } from '../../../support/context.ts';

const key = { mailbox: 'helpdesk@contoso.com', for: 'custom' };
const broughtId = '11111111-2222-3333-4444-555555555555';
const madeId = '66666666-7777-8888-9999-000000000000';

/** A whole round of questions, nobody there to be asked. */
function answered(flags: Flags, saved: Known = {}, madeClientId?: string): Promise<Answers> {
  const { prompts, err, env, surroundings } = testContext();
  const asker = { ctx: { prompts, err, env, surroundings }, report: { show: () => undefined }, canAsk: false, facts: {}, said: new Said() };
  return remainingAnswers(key, flags, { saved, existing: undefined, ...(madeClientId && { madeClientId }) }, asker);
}

const ways = ['auto', 'portal', 'existing', 'handoff'] as const;
const kinds = ['delegated', 'app-only'] as const;
const steps = ['agreed', 'making', 'made', 'consent asked', 'signed in'] as const;
type Step = (typeof steps)[number];

/** What each way needs on the command line where nobody can be asked. */
const flagsOf = (register: RegisterWay, access: (typeof kinds)[number]): Flags => ({
  register,
  access,
  ...(register === 'existing' ? { clientId: broughtId } : {}),
});

function filesInMemory(): Files {
  const texts = new Map<string, string>();
  return {
    ...testContext().files,
    read: async (path) => texts.get(path),
    writeAtomic: async (path, content) => void texts.set(path, String(content)),
  };
}

/** Runs as far as `step` and answers what the next run reads back from the disk. */
async function journalAfter(answers: Answers, step: Step) {
  const ctx = { ...testContext(), files: filesInMemory() };
  const journal = new Journal({ ctx, home: '/home' }, key, undefined);
  journal.startIn(namedCloud('public'));
  journal.storeIn('file');
  await journal.answered(answers);
  const isAuto = answers.register === 'auto';
  if (step !== 'agreed' && isAuto)
    await journal.registering({ setupId: 's', grantIds: [], creating: true, appObjectId: 'o', appId: madeId });
  if (step !== 'agreed' && step !== 'making') {
    const clientId = answers.clientId ?? (isAuto ? madeId : broughtId);
    const app: Registration = { clientId, clientType: answers.clientType, redirectUri: answers.redirectUri ?? '', madeByMailauth: isAuto };
    await journal.registered(isAuto ? answers : { ...answers, clientId }, app);
    if (step === 'consent asked') await journal.consentAsked();
    if (step === 'signed in') await journal.signedIn();
  }
  const read = await journals(ctx, '/home').read(key);
  if (read === undefined) throw new Error('no journal');
  return read;
}

const pairs = ways.flatMap((from) => ways.flatMap((to) => kinds.flatMap((was) => kinds.map((is) => ({ from, was, to, is })))));

it.each(pairs)('begun as $from $was, gone on with as $to $is', async ({ from, was, to, is }) => {
  const name = from === 'existing' ? {} : { name: 'Mail of the help desk' };
  const begun = await answered({ ...flagsOf(from, was), protocols: 'imap', ...name });
  // As if it had been begun this way, with the answers that were given and apply here too.
  const sameName = to === 'existing' ? {} : name;
  const { clientId: freshId, ...fresh } = await answered({ ...flagsOf(to, is), protocols: 'imap', ...sameName });
  for (const step of steps) {
    const { answers, app, registration } = await journalAfter(begun, step);
    const madeClientId = app?.clientId ?? registration?.appId;
    const { clientId, ...resumed } = await answered(flagsOf(to, is), answers, madeClientId);
    expect({ step, ...resumed }).toEqual({ step, ...fresh });
    // An app that was registered before is gone on with by hand; nothing else has an ID before it is made.
    expect([step, clientId]).toEqual([step, to === 'portal' ? (answers.clientId ?? madeClientId) : freshId]);
    expect(resumed.name).not.toBe('');
  }
});

describe('what is no answer any more', () => {
  it('an interrupted set-up of an app that exists has no name, no audience and no months in its journal', async () => {
    const { answers } = await journalAfter(await answered(flagsOf('existing', 'delegated')), 'agreed');
    expect(answers).not.toHaveProperty('name');
    expect(answers).not.toHaveProperty('audience');
    expect(answers).not.toHaveProperty('secretMonths');
  });

  it('the fillers that older versions wrote are left out', async () => {
    const saved: Known = { ...key, ...{ register: 'existing', clientId: broughtId, clientType: 'public', audience: 'single', name: '' } };
    const resumed = await answered({ register: 'auto', access: 'delegated' }, { ...saved, secretMonths: 12, redirectUri: '' });
    expect(resumed).toMatchObject({ name: 'mailauth custom helpdesk@contoso.com', redirectUri: 'http://localhost', consent: 'admin' });
    expect(resumed).not.toHaveProperty('clientId');
    expect(resumed).not.toHaveProperty('secretMonths');
  });

  it.each<[string, Known]>([
    ['a name that Entra refuses', { name: 'a<b' }],
    ['a redirect URI in plain http', { redirectUri: 'http://contoso.com' }],
    ['months that the portal does not offer', { secretMonths: 99, clientType: 'confidential' }],
  ])('%s is not taken over from the journal', async (_, saved) => {
    const [id] = Object.keys(saved);
    const resumed: Readonly<Record<string, unknown>> = await answered({ register: 'auto' }, { ...key, register: 'auto', ...saved });
    expect(resumed[id ?? '']).not.toEqual(Object.values(saved)[0]);
  });

  it('an ID that the operator brings turns a handed-off set-up, and the way that made another app, into an existing app', () => {
    const wayOf = (saved: Known, madeClientId?: string) =>
      earlierAnswers({ saved, existing: undefined, ...(madeClientId && { madeClientId }) }, { clientId: broughtId }).register;
    expect(wayOf({ register: 'handoff' })).toBe('existing');
    expect(wayOf({ register: 'auto' }, madeId)).toBe('existing');
    expect(wayOf({ register: 'auto' }, broughtId)).toBe('auto');
    expect(wayOf({ register: 'portal' })).toBe('portal');
  });
});
