import * as z from 'zod/mini';
import { protocolWords, unverifiedNote } from '../../core/cloud.ts';
import { columnsOf } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, led, mailauth, type NextStep, withoutBlanks } from '../../core/next.ts';
import { allShown, type Surroundings, shown } from '../../core/shown.ts';
import { bareAddress, printable } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type Product, productNames } from '../../products/product.ts';
import { productNamed, products, variantNames } from '../../products/products.ts';
import { printedStep, stepJson } from '../../products/step/step.ts';
import { stepsMarkdown } from '../../products/step/step-markdown.ts';
import { stepsText } from '../../products/step/step-text.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { checkAddress } from '../../setup/answers/answers.ts';
import { checkedAnswer } from '../../setup/answers/question.ts';
import { registrationQuestions } from '../../setup/answers/questions.ts';
import { renderFacts } from '../../ui/tables.ts';
import { type GuideValues, guideSteps, mailboxBlank, type SetUpAlready } from './guide-steps.ts';

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
      .option('--protocols <list>', `any of ${protocolWords.join()}`)
      .option('--name <text>', 'display name of the registration')
      .option('--secret-months <n>', 'lifetime of the client secret')
      .option('--variant <name>', `another kind of the product: ${variantNames.join(', ')}`),

  async run({ args, flags: raw }, session) {
    const { format, ...flags } = schema.parse(raw);
    if (format !== undefined && !['text', 'markdown'].includes(format)) {
      throw invalid('format', format, '--format takes text or markdown.', again({ format: 'markdown' }));
    }
    const [name] = args;
    if (name === undefined) return listOfGuides(format === 'markdown', session.ctx.surroundings);
    const product = productNamed(name);
    if (product === undefined) {
      throw invalid('product', name, `Guides are: ${productNames.join(', ')}.`, mailauth('guide'));
    }
    return guideOf(product, checked(product, flags, session), session, format === 'markdown');
  },
};

const invalid = (what: string, value: string, why: string, next: NextStep) => problem('value-invalid', { what, value, why, next });

/** Each given flag goes through the wizard's own check. The environment answers what no flag answers (docs/contract.md, "Environment"). */
function checked(product: Product, flags: GuideValues, { ctx: { env } }: Session): GuideValues {
  const given: GuideValues = {
    ...flags,
    mailbox: flags.mailbox ?? (env.MAILAUTH_MAILBOX || undefined),
    tenant: flags.tenant ?? (env.MAILAUTH_TENANT || undefined),
    clientId: flags.clientId ?? (env.MAILAUTH_CLIENT_ID || undefined),
  };
  for (const question of registrationQuestions) {
    const value = given[question.id as keyof GuideValues];
    if (value === undefined) continue;
    // The example of `setup` names the product with `--for`, which is no flag of this command.
    const right = question.example({ for: product.name }).flags[question.flag.slice(2)];
    checkedAnswer(question, value, { for: product.name }, again({ [question.id]: right ?? false }));
  }
  const mailbox = given.mailbox === undefined ? undefined : bareAddress(given.mailbox).toLowerCase();
  const verdict = mailbox === undefined ? true : checkAddress(mailbox);
  if (verdict !== true) throw invalid('mail address', mailbox ?? '', `--mailbox: ${verdict}.`, again({ mailbox: false }));
  return { ...given, mailbox };
}

function listOfGuides(markdown: boolean, here: Surroundings): Outcome {
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
            products.map((one) => [one.name, [one.title, one.description, ...allShown(variantCommands(one), here)].join('\n')]),
            theme,
          )}\n  next: ${theme.cyan(shown(mailauth('guide', products[0]?.name), here))}\n`,
  };
}

const variantCommands = ({ name, variants = [] }: Product): readonly NextStep[] =>
  variants.slice(1).map((one) => led(one.title, mailauth('guide', name, { variant: one.name })));

async function guideOf(product: Product, values: GuideValues, session: Session, markdown: boolean): Promise<Outcome> {
  const already = await setUpAlready(product, values.mailbox, session);
  const cloud = await session.cloud(already.record ?? already.sibling);
  if (!cloud.verified) session.report.note(unverifiedNote(cloud));
  const steps = guideSteps(product, values, cloud, already).map((step) => {
    const press = step.press.map((one) => withoutBlanks(one, (value) => value === mailboxBlank));
    return printedStep({ ...step, press }, session.ctx.surroundings);
  });
  const mailbox = values.mailbox ?? already.record?.mailbox;
  const title = printable(mailbox === undefined ? product.title : `${product.title}: ${mailbox}`);
  return {
    data: {
      guide: product.name,
      title: product.title,
      mailbox: mailbox ?? null,
      setUp: already.record !== undefined,
      steps: steps.map((step) => {
        const { fields, ...rest } = stepJson(step, { reveal: false });
        return { ...rest, values: fields.map(({ label, ...value }) => ({ field: label, ...value })) };
      }),
    },
    text: (theme) =>
      markdown ? stepsMarkdown(title, steps) : stepsText(title, steps, { theme, columns: columnsOf(session.ctx.out), reveal: false }),
  };
}

/** This product's own set-up of the mailbox (or its only one), and another product's set-up of the same mailbox, which knows the tenant. */
async function setUpAlready(product: Product, mailbox: string | undefined, session: Session): Promise<SetUpAlready> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
  const own = records.filter((one: MailboxRecord) => one.for === product.name && (mailbox === undefined || one.mailbox === mailbox));
  const record = own.length === 1 ? own[0] : undefined;
  return { record, sibling: mailbox === undefined ? undefined : records.find((one) => one.mailbox === mailbox) };
}
