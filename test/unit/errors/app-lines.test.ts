import { describe, expect, it } from 'vitest';
import { sendingOnly } from '../../../src/errors/catalogue/mail/app-lines.ts';

const clientId = '0b5d7c1e-3f7a-4c58-9a1e-6f2d1c0b9a88';
const long = 'a'.repeat(60);

/** Of the scope and of the role assignment, as PowerShell reads them. */
const namesFor = (mailbox: string, app = clientId) =>
  sendingOnly({ clientId: app, mailbox }).flatMap(
    (line) => /-Name (?:'((?:[^']|'')*)'|(\S+)) /.exec(line)?.slice(1, 3).find(Boolean)?.replaceAll("''", "'") ?? [],
  );

describe('RBAC for Applications', () => {
  it.each([
    ['helpdesk@contoso.com', 'mailauth-0b5d7c1e-helpdesk@contoso.com'],
    ["o'brien@contoso.com", "mailauth-0b5d7c1e-o'brien@contoso.com"],
  ])('%s: the names say app and mailbox', (mailbox, name) => {
    expect(namesFor(mailbox)).toEqual([name, name]);
  });

  it('no two of them are the same, and none has more than 64 characters', () => {
    const other = 'ffffffff-3f7a-4c58-9a1e-6f2d1c0b9a88';
    const names = [`${long}1@contoso.com`, `${long}2@contoso.com`, 'a@contoso.com', 'b@contoso.com'].flatMap((mailbox) => [
      namesFor(mailbox)[0],
      namesFor(mailbox, other)[0],
    ]);
    expect(new Set(names).size).toBe(8);
    expect(names.filter((name) => name === undefined || name.length > 64)).toEqual([]);
  });
});
