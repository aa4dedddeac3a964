import * as z from 'zod/mini';
import { renderStepsMarkdown, renderStepsText } from '../by-hand/manual-steps.ts';
import { type ManualStep, walkThrough } from '../by-hand/walk-through.ts';
import type { Cloud, Protocol } from '../core/cloud.ts';
import { columnsOf } from '../core/fold.ts';
import { isPersonal } from '../core/links.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { printable } from '../core/text.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
import { inSandbox } from '../errors/here.ts';
import { problem } from '../errors/problem.ts';
import { scopesFor } from '../oauth/scopes.ts';
import type { FormFacts } from '../products/form.ts';
import { type Product, redirectSource } from '../products/product.ts';
import { productNamed, products } from '../products/products.ts';
import { mailServers } from '../products/sheet/sheet-facts.ts';
import { type CommandModule, examples, type Outcome } from '../session/command.ts';
import { mailboxesOf } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { checkAddress } from '../setup/answers/answers.ts';
import { checkedAnswer } from '../setup/answers/question.ts';
import { registrationQuestions } from '../setup/answers/questions.ts';
import { renderFacts } from '../ui/facts.ts';

const text = z.optional(z.string());
const schema = z.object({
  format: text,
  mailbox: text,
  signInAs: text,
  tenant: text,
  clientId: text,
  clientType: text,
  redirectUri: text,
  audience: text,
  protocols: text,
  name: text,
  secretMonths: text,
  variant: text,
});
type Flags = z.infer<typeof schema>;

const typed = z.object({
  clientType: z.optional(z.enum(['public', 'confidential'])),
  audience: z.optional(z.enum(['single', 'multi', 'multi-and-personal', 'personal'])),
  protocols: z.optional(z.array(z.enum(['imap', 'pop', 'smtp']))),
});

export const guide: CommandModule = {
  configure: (command) =>
    examples(command.argument('[name]', 'the product; without it, the list of guides'), [
      'mailauth guide                                                 which guides there are',
      'mailauth guide osticket --mailbox helpdesk@contoso.com',
      'mailauth guide kaseya --format markdown > kaseya.md            for a wiki or a ticket',
    ])
      .option('--format <format>', 'text or markdown (default: text)')
      .optionsGroup('Values to fill in (default: those of the mailbox that is set up, else placeholders):')
      .option('--mailbox <address>', 'the mailbox')
      .option('--sign-in-as <address>', 'the licensed user who signs in for a shared mailbox, a resource or an alias')
      .option('--tenant <id|domain>', 'the tenant')
      .option('--client-id <guid>', 'Application (client) ID, once the app is registered')
      .option('--client-type <type>', 'public or confidential')
      .option('--redirect-uri <uri>', 'the callback address that the product shows')
      .option('--audience <audience>', 'single, multi, multi-and-personal or personal')
      .option('--protocols <list>', 'any of imap,pop,smtp')
      .option('--name <text>', 'display name of the registration')
      .option('--secret-months <n>', 'lifetime of the client secret')
      .option('--variant <name>', "the guide's other kind: older-plugin (osticket)"),

  async run({ args, flags: raw }, session) {
    const flags = schema.parse(raw);
    if (flags.format !== undefined && !['text', 'markdown'].includes(flags.format)) {
      throw invalid('format', flags.format, '--format takes text or markdown.', 'mailauth guide --format markdown');
    }
    const [name] = args;
    if (name === undefined) return listOfGuides(flags.format === 'markdown');
    const found = productNamed(name);
    if (found === undefined) {
      throw invalid('product that mailauth knows', name, `Guides are: ${products.map((one) => one.name).join(', ')}.`, 'mailauth guide');
    }
    return walk(found, checked(found, flags, session), session, flags.format === 'markdown');
  },
};

const otherKinds = ({ name, variants = [] }: Product): readonly string[] =>
  variants.slice(1).map((one) => `${one.title}: mailauth guide ${name} --variant ${one.name}`);

const invalid = (what: string, value: string, why: string, next: string) => problem('value-invalid', { what, value, why, next });

/** Each given flag goes through the wizard's own check. The environment answers what no flag answers (docs/contract.md, "Environment"). */
function checked(found: Product, flags: Flags, { ctx: { env } }: Session): Flags {
  const given: Flags = {
    ...flags,
    mailbox: flags.mailbox ?? (env.MAILAUTH_MAILBOX || undefined),
    tenant: flags.tenant ?? (env.MAILAUTH_TENANT || undefined),
    clientId: flags.clientId ?? (env.MAILAUTH_CLIENT_ID || undefined),
  };
  for (const question of registrationQuestions) {
    const value = given[question.id as keyof Flags];
    if (value !== undefined) checkedAnswer(question, value, { for: found.name });
  }
  const mailbox = given.mailbox?.trim().toLowerCase();
  const verdict = mailbox === undefined ? true : checkAddress(mailbox);
  if (verdict !== true) throw invalid('mail address', mailbox ?? '', `--mailbox: ${verdict}.`, `mailauth guide ${found.name}`);
  const variants = found.variants?.map((one) => one.name) ?? [];
  if (given.variant !== undefined && !variants.includes(given.variant)) {
    const why = variants.length === 0 ? `The guide ${found.name} has no variants.` : `--variant takes ${variants.join(', ')}.`;
    throw invalid('variant', given.variant, why, `mailauth guide ${found.name}`);
  }
  return { ...given, mailbox };
}

function listOfGuides(markdown: boolean): Outcome {
  return {
    data: {
      guides: products.map((one) => ({
        name: one.name,
        title: one.title,
        description: one.description,
        manualSteps: one.manualSteps ?? null,
        variants: one.variants?.map((variant) => variant.name) ?? [],
      })),
    },
    text: (theme) =>
      markdown
        ? `${products.map((one) => `- \`${one.name}\`: ${one.title}; ${one.description}`).join('\n')}\n`
        : `${renderFacts(
            products.map((one) => [one.name, [one.title, one.description, ...otherKinds(one)].join('\n')]),
            theme,
          )}\n  next: ${theme.cyan('mailauth guide NAME')}\n`,
  };
}

async function walk(found: Product, flags: Flags, session: Session, markdown: boolean): Promise<Outcome> {
  const { record, sibling } = await knownMailbox(found, flags.mailbox, session);
  const cloud = await session.cloud(record ?? sibling);
  const steps = stepsFor(found, flags, cloud, { record, sibling }).map((step) => clean(step, session.globals.sandbox));
  const mailbox = flags.mailbox ?? record?.mailbox;
  const title = mailbox === undefined ? found.title : `${found.title}: ${mailbox}`;
  return {
    data: {
      guide: found.name,
      title: found.title,
      mailbox: mailbox ?? null,
      setUp: record !== undefined,
      steps: steps.map(({ link, trap, ...step }) => ({
        ...step,
        link: link ?? null,
        values: step.values.map(({ note, ...value }) => ({ ...value, note: note ?? null })),
        trap: trap ?? null,
      })),
    },
    text: (theme) => {
      const { out } = session.ctx;
      if (markdown) return renderStepsMarkdown(printable(title), steps);
      return renderStepsText(printable(title), steps, theme, columnsOf(out));
    },
  };
}

/** This guide's own set-up of the mailbox (or the only one there is), and another product's of the same mailbox: it knows the tenant. */
async function knownMailbox(found: Product, mailbox: string | undefined, session: Session): Promise<Known> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
  const own = records.filter((one) => one.for === found.name && (mailbox === undefined || one.mailbox === mailbox));
  const record = own.length === 1 ? own[0] : undefined;
  return { record, sibling: mailbox === undefined ? undefined : records.find((one) => one.mailbox === mailbox) };
}

interface Known {
  readonly record: MailboxRecord | undefined;
  readonly sibling: MailboxRecord | undefined;
}

/** Flags, then what is set up, then the guide's own, then placeholders. */
function stepsFor(found: Product, flags: Flags, cloud: Cloud, { record, sibling }: Known): readonly ManualStep[] {
  const chosen = typed.parse({ clientType: flags.clientType, audience: flags.audience, protocols: listOf(flags.protocols) });
  const app = record?.registration;
  const mailbox = flags.mailbox ?? record?.mailbox;
  const tenant = flags.tenant ?? record?.tenantId ?? sibling?.tenantId;
  const where = tenant ?? (mailbox === undefined ? 'TENANT-ID' : tenantForMailbox(mailbox));
  const protocols: readonly Protocol[] = chosen.protocols ?? record?.protocols ?? found.protocols;
  const clientId = flags.clientId ?? app?.clientId;
  const stored = flags.tenant === undefined ? (record ?? sibling)?.endpoints : undefined;
  const facts: FormFacts = {
    mailbox: mailbox ?? 'MAILBOX',
    signsIn: flags.signInAs?.trim().toLowerCase() ?? record?.signInAs ?? mailbox ?? 'MAILBOX',
    tenantId: tenant ?? 'TENANT-ID',
    clientId: clientId ?? 'CLIENT-ID',
    redirectUri: flags.redirectUri ?? app?.redirectUri ?? redirectOf(found),
    endpoints: stored ?? v2Endpoints(cloud, where),
    scopes: scopesFor(cloud, protocols),
    servers: mailServers(cloud, where),
    protocols,
  };
  const portal = portalFacts(found, flags, facts);
  return walkThrough(found, facts, {
    ...portal,
    portal: cloud.portal,
    audience: chosen.audience ?? found.audience,
    clientType: chosen.clientType ?? app?.clientType ?? found.clientType,
    // Personal accounts have no administrator.
    consent: isPersonal({ tenant: where }) ? 'user' : 'admin',
    ...(clientId === undefined ? {} : { clientId }),
  });
}

function portalFacts(found: Product, flags: Flags, { mailbox, redirectUri, protocols, endpoints }: FormFacts) {
  return {
    mailbox,
    redirectUri,
    protocols,
    name: flags.name ?? `mailauth ${found.name} ${mailbox}`.slice(0, 90),
    secretMonths: flags.secretMonths === undefined ? found.secretMonths : Number(flags.secretMonths),
    ...(flags.variant === undefined ? {} : { variant: flags.variant }),
    ...(found.endpointsWanted ? { endpoints } : {}),
  };
}

/** learn.microsoft.com/entra/identity-platform/v2-protocols */
function v2Endpoints(cloud: Cloud, tenant: string): { authorization: string; token: string } {
  const base = `${cloud.login}/${tenant}/oauth2/v2.0`;
  return { authorization: `${base}/authorize`, token: `${base}/token` };
}

/** What stands where nobody has said the redirect URI yet. */
function redirectOf(found: Product): string {
  const source = redirectSource(found);
  if (source === 'none') return '';
  if (source === 'product') return (found.redirectShown?.field ?? 'REDIRECT-URI').toUpperCase().replaceAll(' ', '-');
  return found.redirectUri ?? 'REDIRECT-URI';
}

const listOf = (list: string | undefined): readonly string[] | undefined => list?.split(',').map((one) => one.trim());

/** Flags and files may hold anything: no control characters reach a terminal or JSON. */
function clean(step: ManualStep, sandbox: boolean): ManualStep {
  return {
    ...step,
    ...(step.link === undefined ? {} : { link: printable(step.link) }),
    values: step.values.map((one) => ({ ...one, value: printable(one.value) })),
    press: step.press.map((line) => printable(sandbox ? inSandbox(line) : line)),
  };
}
