import { describe, expect, it } from 'vitest';
import { databaseAddress, readAddress, shownAddress } from '../../../src/database/address.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { testContext } from '../../support/context.ts';

const files = systemFiles;
const read = (text: string) => readAddress(text, 'MAILAUTH_DATABASE_URL', { files });

describe('an address of PostgreSQL', () => {
  it('is read as libpq reads it', async () => {
    const address = await read('postgresql://ada:p%40ss%2Fw%3A@db.contoso.com:6543/mail%20auth?application_name=relay');
    expect(address).toMatchObject({ host: 'db.contoso.com', port: 6543, database: 'mail auth', user: 'ada', applicationName: 'relay' });
    expect(address.password?.reveal()).toBe('p@ss/w:');
    expect(address.tls).toEqual({ channelBinding: false });
    expect(shownAddress(address)).toBe('mail auth at db.contoso.com:6543');
  });

  it.each([
    ['postgres://localhost/mailauth', { host: 'localhost', port: 5432, database: 'mailauth' }],
    ['postgresql:///mailauth', { host: 'localhost', database: 'mailauth' }],
    ['postgresql://[::1]:5433/mailauth', { host: '::1', port: 5433 }],
    ['postgresql://%2Fvar%2Frun%2Fpostgresql/mailauth', { host: '/var/run/postgresql' }],
    ['postgresql:///mailauth?host=/var/run/postgresql&user=ada', { host: '/var/run/postgresql', user: 'ada' }],
    ['postgresql://ada@/mailauth?host=127.0.0.1&port=7&sslmode=disable', { host: '127.0.0.1', port: 7, user: 'ada' }],
  ])('%s needs no TLS: it does not leave this computer', async (text, parts) => {
    const address = await read(text);
    expect(address).toMatchObject(parts);
    expect(address.tls).toBeUndefined();
    expect(address.password).toBeUndefined();
  });

  it.each(['require', 'verify-ca', 'verify-full'])('sslmode=%s has TLS on this computer, too', async (mode) => {
    expect((await read(`postgresql://localhost/mailauth?sslmode=${mode}`)).tls).toEqual({ channelBinding: false });
  });

  it.each(['', '?sslmode=allow', '?sslmode=prefer', '?sslmode=require&channel_binding=require'])(
    'another computer has TLS, whatever it says: %s',
    async (more) => {
      expect((await read(`postgresql://10.0.0.5/mailauth${more}`)).tls).toEqual({ channelBinding: more.includes('binding') });
    },
  );

  it.each([
    ['', 'postgresql://'],
    ['mysql://localhost/mailauth', 'postgresql://'],
    ['postgresql://localhost', 'no database'],
    ['postgresql://localhost/', 'no database'],
    ['postgresql://localhost:port/mailauth', 'host and port'],
    ['postgresql://localhost:70000/mailauth', '65535'],
    ['postgresql://a,b/mailauth', 'several servers'],
    ['postgresql://ada:p@ss@localhost/mailauth', '%40'],
    ['postgresql://ada:12/w@localhost/mailauth', '%2F'],
    ['postgresql://localhost/mail%zz', '%25'],
    ['postgresql://localhost/a b', 'blanks'],
    ['postgresql://localhost/a\npostgresql://localhost/b', 'one line'],
    ['postgresql://10.0.0.5/mailauth?sslmode=disable', 'sslmode=disable'],
    ['postgresql://10.0.0.5/mailauth?sslmode=maybe', 'sslmode'],
    ['postgresql://10.0.0.5/mailauth?sslrootcert=/nowhere.pem', '/nowhere.pem'],
    ['postgresql://10.0.0.5/mailauth?sslcert=/a.pem', 'belong together'],
    ['postgresql://10.0.0.5/mailauth?target_session_attrs=read-write', 'target_session_attrs'],
  ])('is refused, without a word of the password: %s', async (text, why) => {
    const secret = text.replace('postgresql://', 'postgresql://ada:geheim@');
    const error = await read(text.includes('@') ? text : secret).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'database-address-wrong', exit: 7 });
    expect(JSON.stringify(error)).not.toContain('geheim');
    if (text !== '') expect(error).toMatchObject({ why: expect.stringContaining(why) });
  });

  it('comes from a variable, else from a file, else it is missing', async () => {
    const env = { MAILAUTH_DATABASE_URL: 'postgresql://localhost/one', MAILAUTH_DATABASE_URL_FILE: '/nowhere' };
    expect((await databaseAddress(testContext({ files, env }))).database).toBe('one');
    await expect(databaseAddress(testContext({ files, env: { MAILAUTH_DATABASE_URL_FILE: '/nowhere' } }))).rejects.toMatchObject({
      code: 'database-address-wrong',
      why: expect.stringContaining('no such file'),
    });
    await expect(databaseAddress(testContext({ files, env: {} }))).rejects.toMatchObject({ code: 'database-address-missing', exit: 7 });
  });
});
