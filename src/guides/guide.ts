import type { Protocol } from '../core/cloud.ts';
import type { ClientType } from '../core/mailbox.ts';
import type { Audience } from '../core/registration-plan.ts';

export type { Audience };
export type SignInMethod = 'browser' | 'paste' | 'skip';

/** What one product needs of an Entra registration, as data: adding a product is one file like `this-computer.ts` and one test. */
export interface Guide {
  readonly name: string;
  /** for the list of choices */
  readonly title: string;
  readonly description: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  /** as registered; undefined: the operator is asked */
  readonly redirectUri?: string;
  readonly protocols: readonly Protocol[];
  /** default of --sign-in */
  readonly signIn: SignInMethod;
  /** questions that this product leaves to the operator; all others take the guide's value unless a flag says otherwise */
  readonly asks: readonly ('signInAs' | 'clientType' | 'redirectUri' | 'audience' | 'protocols')[];
  /** months a new client secret shall live */
  readonly secretMonths: number;
}

/** The names of Entra's "Supported account types" as the portal prints them, for each audience. */
export const accountTypes: Record<Audience, string> = {
  single: 'Accounts in this organizational directory only (Single tenant)',
  multi: 'Accounts in any organizational directory (Any Microsoft Entra ID tenant - Multitenant)',
  'multi-and-personal': 'Accounts in any organizational directory and personal Microsoft accounts (e.g. Skype, Xbox)',
  personal: 'Personal Microsoft accounts only',
};
