import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Cloud } from '../../core/cloud.ts';
import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxKey, MailboxRecord, Registration } from '../../core/mailbox.ts';
import { type StoreName, storeNames } from '../../core/stores.ts';
import { problem } from '../../errors/problem.ts';
import { guardWrites } from '../../store/home.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { cloudSchema, parseJsonFile, registrationSchema, toJsonFile } from '../../store/schemas.ts';
import { type Known, savedAnswers } from '../answers/answers.ts';

/** A finished step of a set-up, in the order they happen. */
const setupSteps = ['store', 'registration', 'sign-in'] as const;
export type SetupStep = (typeof setupSteps)[number];

/** What an interrupted set-up knows. On disk before each next step begins; never a secret. */
export interface InterruptedSetup {
  readonly answers: Known;
  readonly done: readonly SetupStep[];
  readonly startedAt: string;
  /** another account than the mailbox signed in last time: the browser asks which account to take */
  readonly wrongAccount: boolean;
  /** where it began, so that `--resume` needs no other flag */
  readonly cloud?: Cloud;
  /** where its secrets went so far */
  readonly store?: StoreName;
  /** what a registration through Graph has made so far */
  readonly registration?: JournaledRegistration;
  /** the app as it is registered, by these answers: only consent and the sign-in are left */
  readonly app?: Registration;
  /** an administrator was asked for consent to it; whether it was given, the sign-in tells */
  readonly consentAsked: boolean;
  /** the screen of the portal that comes next, from 0 */
  readonly portalScreen?: number;
}

/** Noted before and after each change in the tenant, so that a stop anywhere is completed and never doubled. */
export interface JournaledRegistration {
  /** random; the app carries it as tag `mailauth:<setupId>` */
  readonly setupId: string;
  /** the app may exist although its ids were never written down */
  readonly creating?: boolean;
  readonly appObjectId?: string;
  readonly appId?: string;
  readonly spObjectId?: string;
  readonly grantIds: readonly string[];
  readonly secretKeyId?: string;
  /** of an open rotation: still in the product */
  readonly oldSecretKeyId?: string;
  readonly secretExpiresAt?: string;
  /** the redirect that was added to the registration for a proof, and must be removed */
  readonly proofRedirect?: string;
  /** another person made it, and the operator agreed to use it */
  readonly adopted?: boolean;
  /** it is for all mailboxes of this tenant and product: another set-up that wants it goes on with it */
  readonly shared?: boolean;
  readonly tenantId?: string;
}

const schema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  answers: savedAnswers,
  done: z.array(z.enum(setupSteps)),
  wrongAccount: z.optional(z.boolean()),
  cloud: z.exactOptional(cloudSchema),
  store: z.exactOptional(z.enum(storeNames)),
  registration: z.exactOptional(
    z.object({
      setupId: z.string(),
      creating: z.exactOptional(z.boolean()),
      appObjectId: z.exactOptional(z.string()),
      appId: z.exactOptional(z.string()),
      spObjectId: z.exactOptional(z.string()),
      grantIds: z.array(z.string()),
      secretKeyId: z.exactOptional(z.string()),
      oldSecretKeyId: z.exactOptional(z.string()),
      secretExpiresAt: z.exactOptional(z.string()),
      proofRedirect: z.exactOptional(z.string()),
      adopted: z.exactOptional(z.boolean()),
      shared: z.exactOptional(z.boolean()),
      tenantId: z.exactOptional(z.string()),
    }),
  ),
  app: z.exactOptional(registrationSchema),
  consentAsked: z.optional(z.boolean()),
  portalScreen: z.exactOptional(z.number()),
});

/** The journals of one home, one file a (mailbox, product). */
export function journals(ctx: Pick<Context, 'files'>, home: string) {
  const folder = join(home, 'setups');
  const fileOf = (key: MailboxKey) => join(folder, `${mailboxSlug(key)}.json`);

  const parse = (text: string, file: string, mailbox: string): InterruptedSetup => {
    const read = parseJsonFile<z.infer<typeof schema>>(text, schema);
    if (read.kind === 'broken') {
      const { why, newer } = read;
      throw problem('setup-file-broken', { file, why, mailbox, ...defined({ newer }) }, { detail: { file } });
    }
    const { version: _, answers, wrongAccount, consentAsked, ...rest } = read.value;
    return { ...rest, answers: defined(answers), wrongAccount: wrongAccount === true, consentAsked: consentAsked === true };
  };

  /** Throws `setup-file-broken` where a later mailauth wrote the journal: that one alone may remove it. */
  const refuseNewer = async (key: MailboxKey): Promise<void> => {
    const text = await ctx.files.read(fileOf(key));
    if (text !== undefined && isNewer(text)) parse(text, fileOf(key), key.mailbox);
  };

  return {
    /** Throws `setup-file-broken`. */
    async read(key: MailboxKey): Promise<InterruptedSetup | undefined> {
      const file = fileOf(key);
      const text = await ctx.files.read(file);
      return text === undefined ? undefined : parse(text, file, key.mailbox);
    },
    write(key: MailboxKey, journal: InterruptedSetup): Promise<void> {
      return guardWrites(home, () => ctx.files.writeAtomic(fileOf(key), toJsonFile({ version: 1, ...journal })));
    },
    refuseNewer,
    async forget(key: MailboxKey): Promise<boolean> {
      await refuseNewer(key);
      // A run that was killed in the middle of a write leaves its temporary file beside the journal.
      const halfWritten = (await ctx.files.list(folder)).filter((name) => name.startsWith(`${mailboxSlug(key)}.json.`));
      for (const name of halfWritten) await ctx.files.remove(join(folder, name));
      return ctx.files.remove(fileOf(key));
    },
    /** every readable interrupted set-up */
    async all(): Promise<readonly InterruptedSetup[]> {
      const found: InterruptedSetup[] = [];
      for (const name of await ctx.files.list(folder)) {
        if (!name.endsWith('.json')) continue;
        const text = await ctx.files.read(join(folder, name));
        try {
          if (text !== undefined) found.push(parse(text, name, name));
        } catch {
          // A broken one is reported when its own mailbox is set up again.
        }
      }
      return found;
    },
  };
}

/** What an earlier, finished set-up made through Graph: changed instead of made a second time. */
export function madeBefore(record: MailboxRecord | undefined): JournaledRegistration | undefined {
  const { made, clientId, secretExpiresAt, secretKeyId, oldSecretKeyId, madeByMailauth } = record?.registration ?? {};
  if (made === undefined || clientId === undefined) return undefined;
  return {
    setupId: made.tag.replace(/^mailauth:/, ''),
    appId: clientId,
    grantIds: made.grantIds,
    ...defined({
      appObjectId: made.applicationObjectId,
      spObjectId: made.servicePrincipalId,
      secretKeyId,
      oldSecretKeyId,
      secretExpiresAt,
    }),
    ...(madeByMailauth === false ? { adopted: true } : {}),
  };
}

function isNewer(text: string): boolean {
  const read = parseJsonFile<z.infer<typeof schema>>(text, schema);
  return read.kind === 'broken' && read.newer !== undefined;
}
