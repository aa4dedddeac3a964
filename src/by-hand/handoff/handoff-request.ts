import { type Cloud, type Protocol, protocols } from '../../core/cloud.ts';
import { appRole, delegatedPermission } from '../../core/permissions.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import { isGuid } from '../../core/text.ts';
import type { PortalStep } from '../portal-steps.ts';

/** What an administrator is asked to do for the operator. */
export interface HandoffRequest {
  readonly plan: RegistrationPlan;
  /** the product's name in a sentence */
  readonly title: string;
  /** from `portalSteps`, without a client ID */
  readonly steps: readonly PortalStep[];
  readonly mailbox: string;
  /** the licensed user who signs in for a shared mailbox */
  readonly signInAs?: string;
  readonly tenantId: string;
  readonly cloud: Cloud;
  /** the command with which the operator continues; CLIENT-ID in it stands for the Application (client) ID */
  readonly goOn: string;
}

/** One file of the folder. */
export interface HandoffFile {
  readonly name: string;
  readonly text: string;
}

export const fileNames = {
  readme: 'README.md',
  portal: '1-portal-steps.md',
  azureCli: '2-register-azure-cli.sh',
  graph: '3-register-graph.ps1',
  exchange: '4-exchange-online.ps1',
} as const;

export const clientIdBlank = 'CLIENT-ID';

/** The tenant that a script can compare with; undefined where only a domain is known. */
export const comparableTenant = ({ tenantId }: Pick<HandoffRequest, 'tenantId'>): string | undefined =>
  isGuid(tenantId) ? tenantId.toLowerCase() : undefined;

/** Which protocols are planned: the permissions say it. */
export function protocolsOf({ exchangePermissions, graphPermissions, appRoles }: RegistrationPlan): readonly Protocol[] {
  const names = [...exchangePermissions, ...graphPermissions, ...(appRoles ?? [])];
  return protocols.filter((protocol) => names.includes(delegatedPermission(protocol)) || names.includes(appRole(protocol)));
}

/** An app for personal accounts alone has no service principal that anything could be granted to. */
export const hasServicePrincipal = (plan: RegistrationPlan): boolean => plan.audience !== 'personal';

export const grantsConsent = (plan: RegistrationPlan): boolean => plan.consent === 'admin' && hasServicePrincipal(plan);

/**
 * Another name than that of the secrets which `--register auto` makes. Those it removes as lost when it does not know their value.
 */
export const handoffSecretName = (tag: string): string => `mailauth handoff ${tag.replace(/^mailauth:/, '')}`;
