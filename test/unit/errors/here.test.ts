import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { fromHere, type Here, inSandbox } from '../../../src/errors/here.ts';

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

  it.each([
    ['mailauth setup', 'mailauth setup --mailbox a@contoso.com --for osticket'],
    ['mailauth setup --tenant T   (a domain)', 'mailauth setup --mailbox a@contoso.com --for osticket --tenant T   (a domain)'],
    ['or else: mailauth setup --for custom', 'or else: mailauth setup --mailbox a@contoso.com --for custom'],
    ['mailauth setup --mailbox b@contoso.com', 'mailauth setup --for osticket --mailbox b@contoso.com'],
    [
      'mailauth setup --client-secret-file FILE',
      'mailauth setup --mailbox a@contoso.com --for osticket --client-id 1-2 --client-secret-file FILE',
    ],
    ['mailauth setup --help', 'mailauth setup --help'],
    ['mailauth setupper', 'mailauth setupper'],
    ['press Accept', 'press Accept'],
  ])('puts what the set-up is about into %s', (line, said) => {
    const setup = { mailbox: 'a@contoso.com', for: 'osticket', clientId: '1-2' };
    expect(fromHere(error(line), { sandbox: false, setup }).next).toEqual([said]);
  });

  it('names no product where it is this computer, and nothing that is not known', () => {
    const next = (setup: Here['setup'] & object) => fromHere(error('mailauth setup'), { sandbox: false, setup }).next;
    expect(next({ mailbox: 'a@contoso.com', for: 'this-computer' })).toEqual(['mailauth setup --mailbox a@contoso.com']);
    expect(next({})).toEqual(['mailauth setup']);
  });

  it('knows commands that need no flag of the sandbox', () => {
    expect(inSandbox('mailauth help clouds')).toBe('mailauth help clouds');
    expect(inSandbox('mailauth logout a@b   (all of it)')).toBe('mailauth logout a@b --sandbox   (all of it)');
    expect(inSandbox('sleep 93; mailauth test pop a@b')).toBe('sleep 93; mailauth test pop a@b --sandbox');
    expect(inSandbox('mailauth setup --cloud usgov --tenant T')).toBe('mailauth setup --tenant T --sandbox');
    expect(inSandbox('press Accept')).toBe('press Accept');
  });
});
