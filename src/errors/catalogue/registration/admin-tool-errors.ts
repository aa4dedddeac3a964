import { Exit } from '../../../core/errors.ts';
import { line, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';

const exchange = 'https://learn.microsoft.com/powershell/exchange/exchange-online-powershell';
const connect = noted(line`Connect-ExchangeOnline`, 'in PowerShell, with an account that has the role Exchange Administrator');
const install = noted(line`Install-Module ExchangeOnlineManagement -Scope CurrentUser`, 'in PowerShell 7 (pwsh)');

/** What the tools of an administrator say: Exchange Online PowerShell, Graph PowerShell and Azure CLI. */
export const adminToolEntries = {
  'exchange-not-customized': entry({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/powershell/module/exchangepowershell/enable-organizationcustomization',
    says: [
      'Enable-OrganizationCustomization',
      "command you tried to run isn't currently allowed in your organization",
      'organization is dehydrated',
      'tenant is dehydrated',
    ],
    title: () => 'The Exchange settings of this organisation were never changed, and must be opened for changes first',
    why: () => 'A new tenant shares its settings with others until Enable-OrganizationCustomization is run once.',
    next: () => [line`Enable-OrganizationCustomization`, 'Then wait some minutes (at times an hour), and run the same line again.'],
  }),
  'exchange-cmdlet-missing': entry({
    exit: Exit.notAllowed,
    source: exchange,
    says: [
      "isn't allowed to call",
      'is not allowed to call',
      'not allowed to perform … cmdlet',
      "isn't within a valid server write scope",
      "isn't within your current write scopes",
      ...[
        'New-ServicePrincipal',
        'Get-ServicePrincipal',
        'Set-CASMailbox',
        'Get-CASMailbox',
        'Add-MailboxPermission',
        'Get-MailboxPermission',
        'Add-RecipientPermission',
        'New-ManagementScope',
        'New-ManagementRoleAssignment',
        'Test-ServicePrincipalAuthorization',
        'Set-TransportConfig',
        'Get-TransportConfig',
        'Get-Mailbox',
        'Set-Mailbox',
        'Remove-BlockedSenderAddress',
        'Get-AuthenticationPolicy',
      ].map((cmdlet) => `'${cmdlet}' is not recognized as`),
    ],
    hints: ['is not recognized as the name of a cmdlet', 'is not recognized as a name of a cmdlet'],
    title: () => 'The account is not connected to Exchange Online, or its role does not include this cmdlet',
    why: () =>
      'Exchange shows only the cmdlets that the role of the account allows: without the role Exchange Administrator they do not exist.',
    next: () => [connect, 'Then run the same line again. If it is not recognized there either, the account lacks the role.'],
    admin: () => 'give the account the role Exchange Administrator (Entra > Roles), or run the line with one that has it.',
    retryHelps: false,
  }),
  'powershell-module-missing': entry({
    exit: Exit.failed,
    source: exchange,
    says: [
      "'Connect-ExchangeOnline' is not recognized as",
      "'Connect-MgGraph' is not recognized as",
      'specified module … was not loaded because no valid module file was found',
      'Could not load … ExchangeOnlineManagement',
      'No match was found for the specified search criteria and module name',
    ],
    title: () => 'The PowerShell module with this command is not installed',
    why: () => 'Exchange’s commands are in the module ExchangeOnlineManagement, those of Graph in Microsoft.Graph.',
    next: () => [install, connect],
    retryHelps: false,
  }),
  'powershell-scripts-disabled': entry({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_execution_policies',
    says: ['running scripts is disabled on this system', 'is not digitally signed', 'PSSecurityException'],
    title: () => 'PowerShell does not run scripts on this computer',
    why: () => 'Its execution policy forbids them, or wants them signed.',
    next: () => [noted(line`Set-ExecutionPolicy -Scope Process RemoteSigned`, 'for this window only'), 'Then run the script again.'],
    retryHelps: false,
  }),
  'exchange-object-missing': entry({
    exit: Exit.failed,
    source: exchange,
    codes: ['ManagementObjectNotFoundException'],
    says: [
      "couldn't be performed because … couldn't be found",
      "wasn't found. Please make sure you've typed it correctly",
      "couldn't be found. Please make sure",
      'object was not found … Exchange',
      "couldn't be performed because object … couldn't be found",
      'couldn’t be performed because object',
      "object … couldn't be found on",
      'User or group … could not be found',
      "The specified mailbox … doesn't exist",
    ],
    title: () => 'Exchange Online does not know the object that the line names',
    why: () =>
      'The address or the id is mistyped, was made minutes ago, or is the object id of the app registration in place of the enterprise app.',
    next: () => [
      'Check the address of the mailbox. For an app take the Object ID of Entra > Enterprise apps, and not the one of App registrations.',
      'Made just now? Wait some minutes, and run the same line again.',
    ],
  }),
  'azure-tool-too-old': entry({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/graph/migrate-azure-ad-graph-overview',
    says: ['graph.windows.net', 'Azure AD Graph … retired', 'AzureAD module … retired', 'MSOnline … retired'],
    title: () => 'The tool speaks to Azure AD Graph, which Microsoft has retired',
    why: () => 'An old az, AzureAD or MSOnline module calls graph.windows.net. Newer versions call Microsoft Graph.',
    next: () => [
      noted(line`az upgrade`, 'updates Azure CLI'),
      'In PowerShell use the module Microsoft.Graph in place of AzureAD and MSOnline.',
    ],
    retryHelps: false,
  }),
  'osticket-plugin-old': entry({
    exit: Exit.failed,
    source: 'https://docs.osticket.com/en/latest/OAuth2/Microsoft%20Authorization%20Guide.html',
    says: ['API version v2 has been depreciated', 'API version v2 has been deprecated', 'API version … has been depreciated'],
    title: () => 'The OAuth2 plugin of osTicket is too old for these addresses',
    why: () => 'The newest plugin knows the v2 endpoints; the older one does not.',
    next: () => [
      'Update the plugin: replace include/plugins/auth-oauth2.phar by the newest build of https://osticket.com/download, and reset the scopes.',
      noted(line`mailauth guide osticket`, 'shows the addresses and scopes to enter'),
    ],
    retryHelps: false,
  }),
};
