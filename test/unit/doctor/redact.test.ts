import { describe, expect, it } from 'vitest';
import { forStrangers, maskAddress } from '../../../src/doctor/doctor-report.ts';

const machine = { user: 'ada', homeFolder: '/home/ada' };
const values = [
  { name: 'MAILAUTH_TENANT', value: 'contoso.com' },
  { name: 'BROWSER', value: '/opt/b --user ada.l@contoso.com' },
];
const shown = (line: string, user = machine.user) => forStrangers(line, { machine: { ...machine, user }, values });

describe('a line for strangers', () => {
  it.each([
    ['helpdesk@contoso.com is fine', 'h…@c….com is fine'],
    ['/home/ada/.config/mailauth/mailboxes/helpdesk@contoso.com~custom.json', '~/.config/mailauth/mailboxes/h…@c….com~custom.json'],
    ['guest_x.com#EXT#@fabrikam.onmicrosoft.com', 'g…@f….com'],
    ['tenant contoso.com', 'tenant [MAILAUTH_TENANT]'],
    ['BROWSER=/opt/b --user ada.l@contoso.com', 'BROWSER=[BROWSER]'],
    ['/home/bob/x and C:\\Users\\Bob Smith\\x', '/home/[user]/x and C:\\Users\\[user] Smith\\x'],
    ['owned by ada, not by nevada', 'owned by [user], not by nevada'],
    ['http://u:p@ss@proxy:3128/', 'http://***@proxy:3128'],
    ['tenant 5a4db0c5-c0de-4a11-b0b5-c0ffee000365', 'tenant [id]'],
    [`Bearer eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`, 'Bearer [token]'],
    [`0.A${'x1'.repeat(60)}`, '[token]'],
    ['\u001b[31mred\u001b]0;title\u0007\u202e', 'red'],
  ])('%s', (line, redacted) => expect(shown(line)).toBe(redacted));

  it('root is nobody, and a user without a name hides nothing', () => {
    expect(shown('root certificates', 'root')).toBe('root certificates');
    expect(shown('a certificate', '')).toBe('a certificate');
  });

  it('an address keeps no more than what tells two apart', () => {
    expect(maskAddress('x@y')).toBe('x…@y…');
    expect(maskAddress('😀x@münchen.example')).toBe('😀…@m….example');
  });
});
