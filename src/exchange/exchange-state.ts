/** What Exchange Online says of one mailbox, and of what this set-up needs there. */
export interface ExchangeState {
  /** `UserMailbox`, `SharedMailbox`, `RoomMailbox` … */
  readonly kind: string;
  readonly organization: { readonly smtpAuth: 'on' | 'off' };
  readonly switches: { readonly imap: 'on' | 'off'; readonly pop: 'on' | 'off'; readonly smtpAuth: 'on' | 'off' | 'inherited' };
  /** who else may open the mailbox and send as it; rights that are inherited or denied are left out */
  readonly rights: { readonly fullAccess: readonly string[]; readonly sendAs: readonly string[] };
  /** which of both the delegate or the app of this set-up has */
  readonly granted: { readonly fullAccess: boolean; readonly sendAs: boolean };
  /** of the app of this set-up, in Exchange */
  readonly servicePrincipal: { readonly appId: string; readonly objectId: string } | null;
  /** what Exchange calls it; undefined: there is none, or it has no name */
  readonly principalName: string | undefined;
  /** RBAC for Applications: what of it is there already; null where this set-up does not need it */
  readonly sendingRole: { readonly scope: boolean; readonly assignment: boolean } | null;
}
