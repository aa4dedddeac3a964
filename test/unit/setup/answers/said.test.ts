import { describe, expect, it } from 'vitest';
import { Said } from '../../../../src/setup/answers/said.ts';

const answered = (...answers: readonly (readonly [Parameters<Said['answered']>[0], string])[]): Said => {
  const said = new Said();
  for (const [id, text] of answers) said.answered(id, text);
  return said;
};

describe('what a person has answered in this run', () => {
  it('counts as the flag would, and wins over one that was given', () => {
    const said = answered(['mailbox', 'a@contoso.com']);
    expect(said.over({ mailbox: 'b@contoso.com', for: 'osticket' })).toEqual({ mailbox: 'a@contoso.com', for: 'osticket' });
  });

  it('goes back one question after the other; each is asked again with its answer in it', () => {
    const said = answered(['mailbox', 'a@contoso.com'], ['for', 'osticket'], ['redirectUri', 'https://a.example/cb']);
    said.back();
    said.back();
    expect([said.over({}), said.filledIn('for'), said.filledIn('redirectUri')]).toEqual([
      { mailbox: 'a@contoso.com' },
      'osticket',
      'https://a.example/cb',
    ]);
    expect([said.isOpen('for'), said.isOpen('mailbox'), said.canGoBack]).toEqual([true, false, true]);
    said.back();
    expect([said.over({}), said.canGoBack]).toEqual([{}, false]);
  });

  it('the same answer once more leaves those behind it filled in', () => {
    const said = answered(['mailbox', 'a@contoso.com'], ['for', 'osticket'], ['redirectUri', 'https://a.example/cb']);
    said.back();
    said.back();
    said.answered('for', 'osticket');
    expect([said.over({}).for, said.isOpen('redirectUri'), said.filledIn('redirectUri')]).toEqual([
      'osticket',
      true,
      'https://a.example/cb',
    ]);
  });

  it('a change from the summary asks one question, and Esc leaves it as it was', () => {
    const said = answered(['mailbox', 'a@contoso.com'], ['for', 'osticket'], ['redirectUri', 'https://a.example/cb']);
    const before = said.over({});
    said.change('redirectUri', 'https://a.example/cb');
    expect([said.isOpen('redirectUri'), said.over({ redirectUri: 'https://flag.example' }).redirectUri]).toEqual([true, undefined]);
    said.back();
    expect([said.over({}), said.isOpen('redirectUri')]).toEqual([before, false]);
    said.change('redirectUri', 'https://a.example/cb');
    said.answered('redirectUri', 'https://b.example/cb');
    expect(said.over({})).toEqual({ ...before, redirectUri: 'https://b.example/cb' });
  });

  it('a default that was shown and left counts as no answer', () => {
    const said = answered(['mailbox', 'a@contoso.com']);
    said.change('name', 'mailauth this-computer a@contoso.com');
    said.back();
    expect(said.over({})).toEqual({ mailbox: 'a@contoso.com' });
  });

  it('another product asks for everything that hangs on it again', () => {
    const said = answered(
      ['mailbox', 'a@contoso.com'],
      ['for', 'osticket'],
      ['openedBy', 'delegate'],
      ['signInAs', 'ada@contoso.com'],
      ['redirectUri', 'https://a.example/cb'],
    );
    said.change('for', 'osticket');
    said.answered('for', 'supportpal');
    expect(said.over({})).toEqual({ mailbox: 'a@contoso.com', for: 'supportpal' });
    expect([said.filledIn('redirectUri'), said.filledIn('signInAs')]).toEqual([undefined, 'ada@contoso.com']);
  });

  it('another opener asks again whose account it is', () => {
    const said = answered(['mailbox', 'a@contoso.com'], ['openedBy', 'delegate'], ['signInAs', 'ada@contoso.com']);
    said.change('openedBy', 'delegate');
    said.answered('openedBy', 'itself');
    expect([said.over({}), said.isOpen('signInAs')]).toEqual([{ mailbox: 'a@contoso.com', openedBy: 'itself' }, true]);
  });
});
