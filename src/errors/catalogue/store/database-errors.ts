import { Exit } from '../../../core/errors.ts';
import { again, led, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { keyFileForThisWindow, setVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { updating } from './newer-words.ts';

interface Database {
  /** `mailauth at db.contoso.com:5432`, never with user name or password */
  readonly where: string;
}

interface Refusal extends Database {
  /** what the server or the system says */
  readonly why: string;
}

const address = 'postgresql://mailauth@db.contoso.com/mailauth';
const setAddress = noted(
  setVariable('MAILAUTH_DATABASE_URL', address),
  'with your server; or MAILAUTH_DATABASE_URL_FILE names a file with it',
);
const lookAgain = noted(mailauth('doctor'), 'shows whether it answers');
const sqlstates = 'https://www.postgresql.org/docs/current/errcodes-appendix.html';
const init = (note: string): NextStep => noted(mailauth('store init'), note);

/** Another key opens nothing that is there. */
const copyKey = 'Copy the key file of a machine that works, and set MAILAUTH_KEY_FILE to its path.';

/** What can be wrong with the store `postgres`: where it is, who may use it, and how it is. Its own words: PostgreSQL, appendix A. */
export const databaseEntries = {
  'database-address-missing': entry({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The store postgres needs the address of its database',
    why: () => 'Neither MAILAUTH_DATABASE_URL nor MAILAUTH_DATABASE_URL_FILE is set.',
    next: () => [setAddress, led('Then', mailauth('store init'))],
    retryHelps: false,
  }),

  'database-address-wrong': entry<{ source: string; why: string }>({
    exit: Exit.noStore,
    source: 'https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS',
    title: ({ source }) => `The address of the database in ${source} cannot be used`,
    why: ({ why }) => why,
    next: () => [setAddress],
    retryHelps: false,
  }),

  'database-away': entry<Refusal>({
    exit: Exit.temporary,
    source: sqlstates,
    title: ({ where }) => `The database does not answer (${where})`,
    why: ({ why }) => `Nothing was changed, and no other store is used in its place: ${why}`,
    next: () => [noted(again(), 'in a minute'), lookAgain],
    retryHelps: true,
  }),

  'database-lock-lost': entry<Database & { what: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: () => 'The connection to the database was lost, and another machine works on the same now',
    why: ({ where, what }) => `${where}: ${what} is locked there by now.`,
    next: () => [noted(again(), 'once the other command has finished')],
    retryHelps: true,
  }),

  'database-full': entry<Refusal>({
    exit: Exit.temporary,
    source: sqlstates,
    title: ({ where }) => `The database has no room left (${where})`,
    why: ({ why }) => `What was there is still there: ${why}`,
    next: () => ['Make room on the disk of the database server.', noted(again(), 'afterwards')],
    admin: () => 'The disk or the memory of the PostgreSQL server is full: mailauth can write nothing there.',
  }),

  'database-read-only': entry<Refusal>({
    exit: Exit.temporary,
    source: sqlstates,
    title: ({ where }) => `The database can only be read (${where})`,
    why: ({ why }) => `It is a standby server, or it was set so: ${why}`,
    next: () => ['Name the primary server in MAILAUTH_DATABASE_URL, or wait until this one is it.', noted(again(), 'afterwards')],
  }),

  'database-refused': entry<Refusal>({
    exit: Exit.noStore,
    source: sqlstates,
    title: ({ where }) => `The database refuses the log-in (${where})`,
    why: ({ why }) => why,
    next: () => ['Correct the user, the password or the name of the database in MAILAUTH_DATABASE_URL.', lookAgain],
    retryHelps: false,
  }),

  'database-untrusted': entry<Refusal>({
    exit: Exit.noStore,
    source: 'https://www.postgresql.org/docs/current/libpq-ssl.html',
    title: ({ where }) => `The encrypted connection to the database cannot be trusted (${where})`,
    why: ({ why }) => `Nothing was sent, whatever sslmode says: ${why}`,
    next: () => [
      'Put ?sslrootcert=FILE at the end of MAILAUTH_DATABASE_URL: the certificate of the authority that issued the server’s.',
      lookAgain,
    ],
    admin: () => 'The PostgreSQL server needs TLS (ssl = on) with a certificate for its name.',
    retryHelps: false,
  }),

  'database-no-right': entry<Refusal>({
    exit: Exit.noStore,
    source: 'https://www.postgresql.org/docs/current/ddl-priv.html',
    title: ({ where }) => `The role may not do this in the database (${where})`,
    why: ({ why }) => why,
    next: () => [lookAgain],
    admin: () =>
      'Run mailauth store init as the owner of the database, then: GRANT USAGE ON SCHEMA mailauth TO its role; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mailauth TO its role.',
    retryHelps: false,
  }),

  'database-schema-missing': entry<Database>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ where }) => `The database is not prepared for mailauth yet (${where})`,
    why: () => 'It has no schema "mailauth", or not all tables in it.',
    next: () => [init('makes it, once for all machines')],
    retryHelps: false,
  }),

  'database-schema-older': entry<Database>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ where }) => `The schema in the database is of an older mailauth (${where})`,
    why: () => 'Bring every machine to the new version first: an older one refuses the new schema.',
    next: () => [init('brings it up to date; nothing is lost')],
    retryHelps: false,
  }),

  'database-schema-newer': entry<Database>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ where }) => `The schema in the database is of a newer mailauth (${where})`,
    why: () => 'This version does not know it, and left it as it is.',
    next: () => [updating],
    retryHelps: false,
  }),

  'database-key-missing': entry<Database & { isSealed: boolean }>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The store postgres needs a key file',
    why: ({ where }) => `Every secret is sealed on this computer before it goes to ${where}, with the same key file on each machine.`,
    next: ({ isSealed }) => (isSealed === true ? [copyKey] : [keyFileForThisWindow]),
    retryHelps: false,
  }),

  'database-key-wrong': entry<Database>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The key file is not the one that the database was sealed with',
    why: ({ where }) => `${where} opens only with the key file of the machine that used it first. It was left untouched.`,
    next: () => [copyKey],
    retryHelps: false,
  }),

  'database-failed': entry<Refusal>({
    exit: Exit.noStore,
    source: sqlstates,
    title: ({ where }) => `The database did not do what mailauth asked (${where})`,
    why: ({ why }) => why,
    next: () => [lookAgain],
  }),
};
