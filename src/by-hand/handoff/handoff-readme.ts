import { code, fence, words } from '../../core/markdown.ts';
import { rolesThat } from '../../entra/refusals.ts';
import { clientIdBlank, fileNames, grantsConsent, type HandoffRequest } from './handoff-request.ts';

/** What the administrator reads first. Markdown; nothing of a value can become markup. */
export function handoffReadme(request: HandoffRequest, names: readonly string[]): string {
  const { plan, title, mailbox, signInAs, tenantId, cloud } = request;
  const shared = signInAs === undefined || signInAs === mailbox ? '' : `, opened by ${code(signInAs)}`;
  const blocks = [
    `# ${words(`An app registration for ${title}`)}`,
    `The mailbox ${code(mailbox)}${shared} in the tenant ${code(tenantId)} (cloud: ${words(cloud.name)}) shall be read and sent from with OAuth 2. ` +
      'For that an application has to be registered in Microsoft Entra, by somebody who may. Everything is prepared in this folder. No secret is in it.',
    `It will be called ${code(plan.displayName)}. ${permissionsText(request)}`,
    '## Who may do it',
    bullets([
      `Register the application: ${rolesThat.register.join(', ')}; anybody, where "Users can register applications" is on`,
      ...(plan.consent === 'admin' ? [`Consent for the whole organization: ${rolesThat.consent.join(', ')}`] : []),
      ...(names.includes(fileNames.exchange)
        ? [
            `${plan.appRoles === undefined ? 'Switch' : 'Let the app into the mailbox, and switch'} protocols of the mailbox: Exchange Administrator`,
          ]
        : []),
    ]),
    '## What to do',
    names.includes(fileNames.azureCli) ? 'Choose one of the first three. The scripts can be read, and are safe to run twice.' : '',
    `${bullets(names.filter((name) => name in purposes).map((name) => `${name}: ${purposes[name] ?? ''}`))}`,
    '## What to send back',
    bullets([
      'Application (client) ID: a GUID; not the Object ID. It is no secret',
      ...(plan.secretMonths === undefined
        ? []
        : [
            `Client secret: its "Value", not its "Secret ID", valid for ${plan.secretMonths} months. By a password manager or by word of mouth, never by mail or chat`,
          ]),
    ]),
    '## How it goes on',
    `Whoever asked you goes on with this command${request.goOn.includes(clientIdBlank) ? `, the ID in the place of ${clientIdBlank}` : ''}:`,
    fence(request.goOn),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const purposes: Readonly<Record<string, string>> = {
  [fileNames.portal]: 'by hand in the Entra admin center, with every value to copy',
  [fileNames.azureCli]: 'the same with the Azure CLI, also in the Cloud Shell (bash)',
  [fileNames.graph]: 'the same with Microsoft Graph PowerShell',
  [fileNames.exchange]: 'afterwards, where IMAP, POP or SMTP is switched off for the mailbox, with Exchange Online PowerShell',
};

function permissionsText(request: HandoffRequest): string {
  const { appRoles } = request.plan;
  if (appRoles !== undefined) {
    const roles = appRoles.map(code).join(', ');
    return `Its application permissions on Office 365 Exchange Online are ${roles}: it acts for itself, nobody signs in, and Exchange lets it into this one mailbox only.`;
  }
  const names = request.plan.graphPermissions.map(code).join(', ');
  const own = `Its delegated permissions are ${names}: it can do only what the person who signs in can do.`;
  return grantsConsent(request.plan) ? `${own} Consent is given for the whole organization, so that nobody is asked.` : own;
}

const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${words(line)}`).join('\n');
