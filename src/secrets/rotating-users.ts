import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord, Registration } from '../core/mailbox.ts';
import type { Reporter } from '../core/run-parts.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import type { NewSecret } from '../entra/app-secret.ts';
import type { OAuthApp } from '../oauth/oauth-app.ts';
import { encodeClientSecret } from '../store/client-secret-entry.ts';
import type { MailboxFiles } from '../store/mailbox-file.ts';
import { clientSecretEntry } from '../store/token-entry.ts';

export interface UsersDeps {
  readonly ctx: Pick<Context, 'signal'>;
  readonly report: Reporter;
  readonly mailboxes: MailboxFiles;
  readonly storeOf: (record: MailboxRecord) => Promise<SecretStore>;
  /** as the app signs in now, with the old secret */
  readonly app: OAuthApp;
  /** opens one mailbox with the secret that its store has now; left out: what the token endpoint says of the app is proof enough */
  readonly proveMailbox?: (record: MailboxRecord) => Promise<void>;
}

/** A mailbox that cannot get a token with the new client secret. */
export interface RedMailbox {
  readonly record: MailboxRecord;
  readonly error: MailauthError;
}

/** Every mailbox of one app, as their files say it now: all of them get the new client secret, and none is forgotten. */
export class AppUsers {
  private records: readonly MailboxRecord[];
  private readonly deps: UsersDeps;

  /** `records`: at least one */
  constructor(records: readonly MailboxRecord[], deps: UsersDeps) {
    this.records = records;
    this.deps = deps;
  }

  /** It names the rotation. */
  get first(): MailboxRecord {
    const [first] = this.records;
    if (first === undefined) throw new Error('an app that no mailbox uses');
    return first;
  }

  get newKeyIds(): readonly string[] {
    return [...new Set(this.records.flatMap(({ registration }) => registration.secretKeyId ?? []))];
  }

  get oldKeyIds(): readonly string[] {
    return [...new Set(this.records.flatMap(({ registration }) => registration.oldSecretKeyId ?? []))];
  }

  /** Puts the new secret into the place of the old one, for every mailbox; safe to repeat. */
  async commit(fresh: NewSecret): Promise<void> {
    const { app, storeOf } = this.deps;
    const secret = encodeClientSecret(fresh.secret, authorityOf(app.cloud, app));
    const written = new Set<string>();
    for (const record of this.records) {
      const store = await storeOf(record);
      const place = `${store.name} ${clientSecretEntry(record)}`;
      if (!written.has(place)) await store.write(clientSecretEntry(record), secret);
      written.add(place);
    }
    await this.change(({ secretKeyId: old, ...registration }) => {
      if (old === fresh.keyId) return undefined;
      const changed = { ...registration, secretKeyId: fresh.keyId, secretExpiresAt: fresh.endDateTime };
      return { ...changed, ...defined({ oldSecretKeyId: old }) };
    });
  }

  /** What another command wrote meanwhile (a token's account, a test) stays. undefined: this mailbox knows it already. */
  async change(changed: (registration: Registration) => Registration | undefined): Promise<void> {
    const records: MailboxRecord[] = [];
    for (const record of this.records) {
      const now = (await this.deps.mailboxes.readMailbox(record)) ?? record;
      const registration = changed(now.registration);
      const next = registration === undefined ? now : { ...now, registration };
      if (registration !== undefined) await this.deps.mailboxes.writeMailbox(next);
      records.push(next);
    }
    this.records = records;
  }

  /** Each is tried, one after the other. A product that keeps its own tokens has nothing here to be tried with. */
  async red(): Promise<readonly RedMailbox[]> {
    const { proveMailbox, report, ctx } = this.deps;
    const red: RedMailbox[] = [];
    if (proveMailbox === undefined) return red;
    for (const record of this.records.filter((one) => one.account !== undefined || one.access === 'app-only')) {
      try {
        await proveMailbox(record);
        report.progress('secret', 'done', `${record.mailbox} works with the new client secret`);
      } catch (error) {
        if (!(error instanceof MailauthError) || ctx.signal.aborted) throw error;
        report.progress('secret', 'failed', `${record.mailbox}: ${error.title}`);
        red.push({ record, error });
      }
    }
    return red;
  }
}
