import { describe, expect, it } from 'vitest';
import { again } from '../../../../src/core/next.ts';
import { products } from '../../../../src/products/products.ts';
import { type Asking, answer } from '../../../../src/setup/answers/ask.ts';
import type { Question } from '../../../../src/setup/answers/question.ts';
import { firstQuestions, registrationQuestions } from '../../../../src/setup/answers/questions.ts';
import { enter, person, type Scripted, whoOpens } from '../../../support/command-line.ts';

function asking(more: Partial<Asking> & { script?: readonly Scripted[] } = {}): Asking & { asked: string[] } {
  const { script = [], ...rest } = more;
  const { prompts, asked } = person(script);
  return { ctx: { prompts }, canAsk: false, flags: {}, saved: {}, facts: {}, ...rest, asked };
}

const one: Question = {
  id: 'name',
  flag: '--name',
  noun: 'name',
  message: 'Which name?',
  asked: () => true,
  default: () => 'from the default',
  example: () => again({ name: 'x' }),
};

describe('where an answer comes from: flag, interrupted set-up, person, default', () => {
  const all = {
    flags: { name: 'from the flag' },
    saved: { name: 'from before' },
    canAsk: true,
    script: [['Which name?', 'from the person']] as const,
  };
  it.each([
    ['the flag first', all, 'from the flag'],
    ['then what was saved', { ...all, flags: {} }, 'from before'],
    ['then the person', { ...all, flags: {}, saved: {} }, 'from the person'],
    ['a person may take the default', { canAsk: true, script: [['Which name?', enter]] as const }, 'from the default'],
    ['then the default', {}, 'from the default'],
  ])('%s', async (_, more, wanted) => {
    expect(await answer([one], {}, asking(more))).toEqual({ name: wanted });
  });

  it('a question that is not asked takes its default silently', async () => {
    const asker = asking({ canAsk: true });
    expect(await answer([{ ...one, asked: () => false }], {}, asker)).toEqual({ name: 'from the default' });
    expect(asker.asked).toEqual([]);
  });

  it('a question that does not apply is left out, unless a flag answers it', async () => {
    const other = { ...one, applies: () => false };
    expect(await answer([other], {}, asking())).toEqual({});
    expect(await answer([other], {}, asking({ flags: { name: 'x' } }))).toEqual({ name: 'x' });
  });

  it('nobody to ask and no default: exit 3 with the flag and a command that works', async () => {
    const { default: _, ...bare } = one;
    await expect(answer([bare], {}, asking())).rejects.toMatchObject({
      code: 'answer-missing',
      exit: 3,
      detail: { flag: '--name' },
      why: expect.stringContaining('--name'),
      next: [again({ name: 'x' })],
    });
    expect(await answer([{ ...bare, optional: true }], {}, asking())).toEqual({});
  });

  it('later questions see earlier answers', async () => {
    const second: Question = { ...one, id: 'tenant', default: (known) => `after ${known.name}` };
    expect(await answer([one, second], {}, asking())).toEqual({ name: 'from the default', tenant: 'after from the default' });
  });
});

describe('the questions of setup', () => {
  it('every one has a flag, a message and an example that names its flag or asks on a terminal', () => {
    for (const q of [...firstQuestions, ...registrationQuestions]) {
      expect(q.flag).toMatch(/^--[a-z-]+$/);
      expect(q.message.length).toBeGreaterThan(8);
      const { kind, flags, note } = q.example({ mailbox: 'a@contoso.com' });
      expect(kind).toBe('again');
      if (note === undefined) expect(Object.keys(flags)).toContain(q.flag.slice(2));
      expect(q.example({}).kind).toBe('again');
    }
  });

  it('every default passes its own check', async () => {
    for (const product of ['this-computer', 'custom']) {
      for (const register of ['existing', 'portal']) {
        for (const clientType of ['public', 'confidential']) {
          const flags = {
            mailbox: 'a@contoso.com',
            for: product,
            register,
            clientType,
            ...(register === 'existing' ? { clientId: '11111111-2222-3333-4444-555555555555' } : {}),
          };
          const known = await answer([...firstQuestions, ...registrationQuestions], {}, asking({ flags }));
          expect(known).toMatchObject({
            mailbox: 'a@contoso.com',
            for: product,
            register,
            redirectUri: 'http://localhost',
            protocols: ['imap', 'pop', 'smtp'],
            signIn: 'browser',
          });
          expect(known.consent).toBe(register === 'existing' ? 'user' : 'admin');
        }
      }
    }
  });

  it.each(products.filter(({ name }) => name !== 'custom'))(
    '$name: no more questions than a tenth of the steps of its guide',
    async ({ name, manualSteps }) => {
      const script: readonly Scripted[] = [
        ['Which mailbox?', 'helpdesk@contoso.com'],
        ['What is this mailbox for?', name],
        [whoOpens, 'itself'],
        ...(name === 'osticket' ? [['Callback Endpoint of osTicket?', 'https://help.contoso.com/callback'] as const] : []),
        ...(name === 'supportpal' ? [['Redirect URI of SupportPal?', 'https://help.contoso.com/callback'] as const] : []),
      ];
      const asker = asking({ canAsk: true, script });
      await answer([...firstQuestions, ...registrationQuestions], {}, asker);
      // And whether the app may be made.
      const decisions = asker.asked.length + 1;
      expect(decisions).toBe(script.length + 1);
      // No guide has a step for the question who opens the mailbox: each takes for granted that the reader knows.
      expect((decisions - 1) * 10).toBeLessThanOrEqual(manualSteps ?? Number.POSITIVE_INFINITY);
    },
  );

  it('says where a product shows its own redirect URI, before it is asked for or found missing', async () => {
    const shown: string[] = [];
    const showScreen: Asking['showScreen'] = (screen) => shown.push(screen.field);
    const flags = { mailbox: 'a@contoso.com', for: 'osticket' };
    const questions = [...firstQuestions, ...registrationQuestions];
    const person = asking({
      canAsk: true,
      flags,
      showScreen,
      script: [['Callback Endpoint of osTicket?', 'https://help.contoso.com/api/auth/oauth2']],
    });
    await answer(questions, {}, person);
    expect(shown).toEqual(['Callback Endpoint']);
    await expect(answer(questions, {}, asking({ flags, showScreen }))).rejects.toMatchObject({ code: 'answer-missing', exit: 3 });
    expect(shown).toHaveLength(2);
    await answer(questions, {}, asking({ flags: { ...flags, redirectUri: 'https://help.contoso.com/x' }, showScreen }));
    expect(shown).toHaveLength(2);
  });

  it('a client id alone means that the app exists already', async () => {
    const known = await answer(
      [...firstQuestions, ...registrationQuestions],
      {},
      asking({ flags: { mailbox: 'a@contoso.com', clientId: '11111111-2222-3333-4444-555555555555' } }),
    );
    expect(known.register).toBe('existing');
  });

  it('lower-cases addresses, splits protocols, reads months', async () => {
    const flags = {
      mailbox: ' HelpDesk@Contoso.com ',
      protocols: 'smtp, imap smtp',
      secretMonths: '6',
      register: 'portal',
      clientType: 'confidential',
    };
    const known = await answer([...firstQuestions, ...registrationQuestions], {}, asking({ flags }));
    expect(known).toMatchObject({ mailbox: 'helpdesk@contoso.com', protocols: ['imap', 'smtp'], secretMonths: 6 });
  });

  it('this-computer asks a person three things, and with an app that is there its ID', async () => {
    const asker = asking({
      canAsk: true,
      flags: { register: 'existing' },
      script: [
        ['Which mailbox?', 'a@contoso.com'],
        ['What is this mailbox for?', enter],
        [whoOpens, enter],
        ['Application (client) ID?', '11111111-2222-3333-4444-555555555555'],
      ],
    });
    await answer([...firstQuestions, ...registrationQuestions], {}, asker);
    expect(asker.asked).toHaveLength(4);
  });
});
