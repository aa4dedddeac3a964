import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { fromHere, inSandbox } from '../../../src/diagnose/here.ts';

const error = (...next: string[]) => new MailauthError({ code: 'x', exit: 6, title: 'No', next, detail: { aadsts: 65004 } });

describe('fromHere', () => {
  const again = 'mailauth setup --mailbox a@contoso.com';

  it('says the set-up again while the mailbox is not known to login', () => {
    const told = fromHere(error('mailauth login a@contoso.com --force', 'else: mailauth login a@contoso.com', 'Press Accept this time.'), {
      sandbox: false,
      again,
    });
    expect(told.next).toEqual([again, `else: ${again}`, 'Press Accept this time.']);
    expect(told).toMatchObject({ code: 'x', exit: 6, detail: { aadsts: 65004 } });
  });

  it('leaves the words of a login alone', () => {
    const lines = ['mailauth login a@contoso.com --force', 'mailauth help environment'];
    expect(fromHere(error(...lines), { sandbox: false, again: 'mailauth login a@contoso.com' }).next).toEqual(lines);
  });

  it('adds --sandbox once, and says a command once', () => {
    const told = fromHere(error('mailauth login a@contoso.com', `${again} --sandbox`), { sandbox: true, again });
    expect(told.next).toEqual([`${again} --sandbox`]);
  });

  it('knows commands that need no flag of the sandbox', () => {
    expect(inSandbox('mailauth help clouds')).toBe('mailauth help clouds');
    expect(inSandbox('mailauth logout a@b   (all of it)')).toBe('mailauth logout a@b --sandbox   (all of it)');
    expect(inSandbox('sleep 93; mailauth test pop a@b')).toBe('sleep 93; mailauth test pop a@b --sandbox');
    expect(inSandbox('press Accept')).toBe('press Accept');
  });
});
