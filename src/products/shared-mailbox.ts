import { printable } from '../core/text.ts';
import type { ProductFacts } from './form-facts.ts';

/**
 * What lets `signsIn` into a mailbox that is not its own, for Exchange Online PowerShell. Sources: Microsoft, "Authenticate an IMAP, POP
 * or SMTP connection using OAuth"; Add-MailboxPermission, Add-RecipientPermission.
 */
export function sharedMailboxCommands({ mailbox, signsIn, protocols }: ProductFacts): readonly string[] {
  const [shared, user] = [mailbox, signsIn].map((address) => powerShellWord(printable(address)));
  return [
    `Add-MailboxPermission -Identity ${shared} -User ${user} -AccessRights FullAccess -AutoMapping $false`,
    ...(protocols.includes('smtp')
      ? [`Add-RecipientPermission -Identity ${shared} -Trustee ${user} -AccessRights SendAs -Confirm:$false`]
      : []),
  ];
}

/** Single quotes, each quote inside doubled. PowerShell reads curly quotes like straight ones (about_Quoting_Rules). */
const powerShellWord = (text: string): string => `'${text.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
