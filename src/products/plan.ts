import type { ProtocolWord } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import type { ClientType } from '../core/mailbox.ts';
import { appRolesOf, delegatedPermissionsOf, type GraphSender, graphPermissionsOf, isMailPermission } from '../core/permissions.ts';
import type { Audience, PlannedCertificate, RegistrationPlan } from '../core/registration-plan.ts';
import { type Product, platformOf, type SignInWay } from './product.ts';

/** The answers that decide how the app is registered; the wizard's `Answers` fit. */
export interface PlanAnswers extends GraphSender {
  readonly name: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  readonly redirectUri: string;
  readonly protocols: readonly ProtocolWord[];
  readonly secretMonths: number;
  readonly consent: RegistrationPlan['consent'];
  readonly signIn?: SignInWay;
  /** left out: delegated */
  readonly access?: 'delegated' | 'app-only';
  /** app-only: in place of a client secret */
  readonly certificate?: PlannedCertificate;
  readonly serviceManagementReference?: string | undefined;
  /** name of one of the product's variants */
  readonly variant?: string;
}

/** These two sign-ins have no redirect URI that would tell Entra the client type (Graph: isFallbackPublicClient). */
export const needsClientFlows = (signIn: SignInWay | undefined): boolean => signIn === 'device' || signIn === 'password';

/** What is to be registered, from the product and the answers. Pure. `setupId`: random, journaled before anything is created. */
export function planRegistration(product: Product, answers: PlanAnswers, setupId: string): RegistrationPlan {
  if (answers.access === 'app-only') return planForApp(answers, setupId);
  const platform = platformOf(product, answers.clientType);
  const variant = product.variants?.find((one) => one.name === answers.variant);
  return {
    displayName: answers.name,
    audience: answers.audience,
    platform,
    redirectUris: platform === 'none' ? [] : [answers.redirectUri],
    publicClientFlows: answers.clientType === 'public' && (product.publicClientFlows || needsClientFlows(answers.signIn)),
    implicitTokens: variant?.implicitTokens === true,
    graphPermissions: permissionsOf(product, answers.protocols, answers),
    exchangePermissions: delegatedPermissionsOf(answers.protocols),
    ...defined({
      secretMonths: answers.clientType === 'confidential' ? answers.secretMonths : undefined,
      serviceManagementReference: answers.serviceManagementReference,
    }),
    consent: answers.consent,
    tag: `mailauth:${setupId}`,
  };
}

/** The product's list, its mail permissions narrowed or widened to the protocols that were chosen. */
export function permissionsOf(product: Product, protocols: readonly ProtocolWord[], sender: GraphSender = {}): readonly string[] {
  const wanted = [...delegatedPermissionsOf(protocols), ...graphPermissionsOf(protocols, sender)];
  const kept = product.permissions.filter((name) => wanted.includes(name) || !isMailPermission(name));
  return [...kept, ...wanted.filter((name) => !kept.includes(name))];
}

/** An app that acts for itself: no person signs in, so it has no redirect URI and no delegated permission. */
function planForApp(answers: PlanAnswers, setupId: string): RegistrationPlan {
  const { name, audience, protocols, consent, certificate, secretMonths, serviceManagementReference } = answers;
  return {
    displayName: name,
    audience,
    platform: 'none',
    redirectUris: [],
    publicClientFlows: false,
    implicitTokens: false,
    graphPermissions: [],
    exchangePermissions: [],
    appRoles: appRolesOf(protocols),
    ...(certificate === undefined ? { secretMonths } : { certificate }),
    ...defined({ serviceManagementReference }),
    consent,
    tag: `mailauth:${setupId}`,
  };
}
