import type { Protocol } from '../core/cloud.ts';
import type { ClientType } from '../core/mailbox.ts';
import type { Audience, Platform } from '../core/registration-plan.ts';
import type { FormFacts, FormPart } from './form.ts';

export type { Audience };
export type SignInMethod = 'browser' | 'paste' | 'skip';
/** every way `--sign-in` can name; which of them make sense is the guide's to say */
export type SignInWay = SignInMethod | 'device' | 'password';

/** What one product needs of an Entra registration, as data: adding a product is one file like `osticket.ts` and one test. */
export interface Product {
  readonly name: string;
  /** for the list of choices, and the product's name in a sentence */
  readonly title: string;
  readonly description: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  /** where the redirect URI is registered; with `web` and `mobile-desktop` the operator's client type decides */
  readonly platform: Platform;
  /** as registered; undefined: the operator is asked, or (platform `none`) there is none */
  readonly redirectUri?: string;
  /** the product shows the redirect URI itself: where to find it, before anything is registered */
  readonly redirectShown?: ProductScreen;
  /** the portal's "Allow public client flows" */
  readonly publicClientFlows: boolean;
  readonly protocols: readonly Protocol[];
  /** delegated permissions on Microsoft Graph, exactly as the product's guide lists them */
  readonly permissions: readonly string[];
  /** default of --sign-in */
  readonly signIn: SignInMethod;
  readonly signInWays: readonly SignInWay[];
  /** questions that this product leaves to the operator; all others take the guide's value unless a flag says otherwise */
  readonly asks: readonly ('access' | 'signInAs' | 'clientType' | 'redirectUri' | 'audience' | 'protocols')[];
  /** months a new client secret shall live; the guide names them (`secretMonthsFixed`) or leaves the choice */
  readonly secretMonths: number;
  readonly secretMonthsFixed?: true;
  /** the guide wants the Secret ID noted beside the value */
  readonly secretIdToo?: true;
  /** the product's form asks for the v2 endpoints */
  readonly endpointsWanted: boolean;
  /** the guide's own words for the portal's menu, where the portal has renamed it since */
  readonly olderMenu?: string;
  /** said where consent is given, when this product is special there */
  readonly consentNote?: string;
  readonly form: readonly FormPart[];
  /** what else this product needs for a shared mailbox, a resource or an alias */
  readonly shared?: (f: FormFacts) => readonly string[];
  readonly variants?: readonly Variant[];
  /** how often the product's own guide makes the operator click, choose, type, copy, paste or check; undefined: it has no guide */
  readonly manualSteps?: number;
}

export interface ProductScreen {
  /** the product's own name of the field */
  readonly field: string;
  readonly where: string;
  readonly actions: readonly string[];
  readonly trap?: string;
}

/** A product that comes in several kinds: chosen by name, the first is what nobody has to name. */
export interface Variant {
  readonly name: string;
  readonly title: string;
  readonly implicitTokens: boolean;
}

/** Where the redirect URI comes from: decides whether it may have a default. */
export function redirectSource(product: Product): 'none' | 'fixed' | 'product' | 'operator' {
  if (product.platform === 'none') return 'none';
  if (product.redirectUri !== undefined) return 'fixed';
  return product.redirectShown === undefined ? 'operator' : 'product';
}

/** A confidential client's redirects are of the Web platform; a guide without a redirect stays without unless one is registered after all. */
export function platformOf(product: Product, clientType: ClientType): Platform {
  if (clientType === 'confidential') return 'web';
  return product.platform === 'none' ? 'none' : 'mobile-desktop';
}

/** The names of Entra's "Supported account types" as the portal prints them, for each audience. */
export const accountTypes: Record<Audience, string> = {
  single: 'Accounts in this organizational directory only (Single tenant)',
  multi: 'Accounts in any organizational directory (Any Microsoft Entra ID tenant - Multitenant)',
  'multi-and-personal':
    'Accounts in any organizational directory (Any Microsoft Entra ID tenant - Multitenant) and personal Microsoft accounts (e.g. Skype, Xbox)',
  personal: 'Personal Microsoft accounts only',
};
