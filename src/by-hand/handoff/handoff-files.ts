import { isPersonal } from '../../core/links.ts';
import { code, fence, words } from '../../core/markdown.ts';
import type { Surroundings } from '../../core/shown.ts';
import { rolesThat } from '../../entra/refusals.ts';
import { printedStep } from '../../products/step/step.ts';
import { stepsMarkdown } from '../../products/step/step-markdown.ts';
import { azureCliScript } from './azure-cli.ts';
import { exchangeOnlineScript } from './exchange-powershell.ts';
import { graphPowerShellScript } from './graph-powershell.ts';
import { clientIdBlank, fileNames, grantsConsent, type HandoffFile, type HandoffRequest, protocolsOf } from './handoff-request.ts';

export type { HandoffFile, HandoffRequest };

/** The portal's steps hold sentences and values only: no line for a shell. */
const withoutCommands: Surroundings = { shell: 'posix' };

/**
 * The folder for an administrator: what to do, by hand or by script, with all values filled in and no secret. Pure: the same request gives
 * the same bytes. Personal accounts have no tenant that a script could sign in to, so their folder has the portal's steps only.
 * Throws `value-invalid` (exit 2) where a value holds a line break or an invisible character.
 */
export function handoffFiles(request: HandoffRequest): readonly HandoffFile[] {
  const files: HandoffFile[] = [
    {
      name: fileNames.portal,
      text: stepsMarkdown(
        `Register "${request.plan.displayName}" in the portal`,
        request.steps.map((step) => printedStep(step, withoutCommands)),
      ),
    },
  ];
  if (!isPersonal({ tenant: request.tenantId })) {
    // The scripts know delegated permissions only. An app that acts for itself is registered by the portal's steps.
    if (request.plan.appRoles === undefined) {
      files.push(
        { name: fileNames.azureCli, text: azureCliScript(request) },
        { name: fileNames.graph, text: graphPowerShellScript(request) },
      );
    }
    const app = request.plan.appRoles === undefined ? {} : { app: {} };
    files.push({ name: fileNames.exchange, text: exchangeOnlineScript({ ...request, protocols: protocolsOf(request.plan), ...app }) });
  }
  const names = files.map(({ name }) => name);
  return [{ name: fileNames.readme, text: handoffReadme(request, names) }, ...files];
}

/** What the administrator reads first. Markdown; no value can become markup. */
function handoffReadme(request: HandoffRequest, names: readonly string[]): string {
  const { plan, title, mailbox, signInAs, tenantId, cloud } = request;
  const shared = signInAs === undefined || signInAs === mailbox ? '' : `, used by ${code(signInAs)}`;
  const blocks = [
    `# ${words(`An app registration for ${title}`)}`,
    `The mailbox ${code(mailbox)}${shared} in the tenant ${code(tenantId)} (cloud: ${words(cloud.name)}) will be used with OAuth 2. ` +
      'For that, an application must be registered in Microsoft Entra by somebody who is allowed to. This folder has everything that is needed. It contains no secret.',
    `The application is called ${code(plan.displayName)}. ${permissionsText(request)}`,
    '## Roles',
    bullets([
      `To register the application: ${rolesThat.register.join(', ')}. If "Users can register applications" is on, everybody can`,
      ...(plan.consent === 'admin' ? [`To consent for the whole organization: ${rolesThat.consent.join(', ')}`] : []),
      ...(names.includes(fileNames.exchange)
        ? [
            `${plan.appRoles === undefined ? 'To switch on' : 'To let the app into the mailbox and switch on'} the mailbox's protocols: Exchange Administrator`,
          ]
        : []),
    ]),
    '## What to do',
    names.includes(fileNames.azureCli)
      ? 'Choose one of the first three. You can read the scripts before you run them. To run one twice does no harm.'
      : '',
    `${bullets(names.filter((name) => name in purposes).map((name) => `${name}: ${purposes[name] ?? ''}`))}`,
    '## What to send back',
    bullets([
      'The Application (client) ID: a GUID, but not the Object ID. It is not secret',
      ...(plan.secretMonths === undefined
        ? []
        : [
            `The client secret: its "Value", not its "Secret ID", valid for ${plan.secretMonths} months. Send it through a password manager, never by mail or chat`,
          ]),
    ]),
    '## What happens next',
    `The person who asked you continues with this command${request.goOn.includes(clientIdBlank) ? `, with the ID in the place of ${clientIdBlank}` : ''}:`,
    fence(request.goOn),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const purposes: Readonly<Record<string, string>> = {
  [fileNames.portal]: 'by hand in the Microsoft Entra admin center, with every value to copy',
  [fileNames.azureCli]: 'the same with the Azure CLI, which is also in the Cloud Shell (bash)',
  [fileNames.graph]: 'the same with Microsoft Graph PowerShell',
  [fileNames.exchange]: 'afterwards, if IMAP, POP or SMTP is switched off for the mailbox, with Exchange Online PowerShell',
};

function permissionsText(request: HandoffRequest): string {
  const { appRoles } = request.plan;
  if (appRoles !== undefined) {
    const roles = appRoles.map(code).join(', ');
    return `Its application permissions on Office 365 Exchange Online are ${roles}. It acts for itself without a person who signs in, and Exchange lets it into this one mailbox only.`;
  }
  const names = request.plan.graphPermissions.map(code).join(', ');
  const own = `Its delegated permissions are ${names}. It can do only what the person who signs in can do.`;
  return grantsConsent(request.plan) ? `${own} Consent is given for the whole organization, so that users are not asked for it.` : own;
}

const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${words(line)}`).join('\n');
