import type { Protocol } from '../core/cloud.ts';
import type { ClientType } from '../core/mailbox.ts';
import type { Audience, Platform } from '../core/registration-plan.ts';
import type { FormFacts, ProductFacts } from './form-facts.ts';
import type { Step } from './step/step.ts';

/** The words of `--for`, in the order of the list of choices. A file of its own: `token get` needs the names and none of the products' data. */
export const productNames = ['this-computer', 'osticket', 'supportpal', 'kaseya', 'mspbots', 'custom'] as const;

export type ProductName = (typeof productNames)[number];

export type { Audience };

type SignInMethod = 'browser' | 'paste' | 'skip';
/** Every way that `--sign-in` can name. A product says which of them make sense for it. */
export type SignInWay = SignInMethod | 'device' | 'password';

/** What one product needs of an Entra registration, and how it is set up by hand. A product is one data file like `osticket.ts`. */
export interface Product {
  /** the word for `--for` */
  readonly name: string;
  /** for the list of choices, and the product's name in a sentence */
  readonly title: string;
  readonly description: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  /** where the redirect URI is registered; with `web` and `mobile-desktop` the operator's client type decides */
  readonly platform: Platform;
  /** as registered; undefined: the operator is asked, or (platform `none`) the app has none */
  readonly redirectUri?: string;
  /** where the product itself shows the redirect URI, before anything is registered */
  readonly redirectShown?: ProductScreen;
  /** the portal's "Allow public client flows" */
  readonly publicClientFlows: boolean;
  readonly protocols: readonly Protocol[];
  /** delegated permissions on Microsoft Graph, exactly as the product's guide lists them */
  readonly permissions: readonly string[];
  /** default of --sign-in */
  readonly signIn: SignInMethod;
  readonly signInWays: readonly SignInWay[];
  /** questions that this product leaves to the operator; all others take the value of this file unless a flag gives another */
  readonly asks: readonly ('access' | 'clientType' | 'redirectUri' | 'audience' | 'protocols')[];
  /** how many months a new client secret is valid, unless the operator says otherwise */
  readonly secretMonths: number;
  /** the product's guide asks for exactly `secretMonths` */
  readonly secretMonthsFixed?: true;
  /** the product's guide wants the Secret ID noted beside the value */
  readonly secretIdToo?: true;
  /** the product's form asks for the v2 endpoints */
  readonly endpointsWanted: boolean;
  /** the words of the product's guide for the portal's menu, where the portal has renamed it since */
  readonly olderMenu?: string;
  /** said at the step of consent, when this product is special there */
  readonly consentNote?: string;
  /** the product's own screens, filled in, in order */
  readonly form: (f: FormFacts) => readonly Step[];
  /** what else this product needs for a shared mailbox, a resource or an alias */
  readonly shared?: (f: ProductFacts) => readonly string[];
  /** the kinds that the product comes in; the first is taken where no kind is named */
  readonly variants?: readonly Variant[];
  /** how often the product's own guide makes the operator click, choose, type, copy, paste or check; undefined: it has no guide */
  readonly manualSteps?: number;
}

/** The screen of a product that shows a value which only the operator can fetch. */
export interface ProductScreen extends Step {
  /** the product's own name for the value */
  readonly field: string;
}

interface Variant {
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

/** The redirect URI of a confidential client is always registered on the Web platform, also where the product alone would need none. */
export function platformOf(product: Product, clientType: ClientType): Platform {
  if (clientType === 'confidential') return 'web';
  return product.platform === 'none' ? 'none' : 'mobile-desktop';
}

/**
 * The names of Entra's "Supported account types" for each audience: those of 2026 (learn.microsoft.com, "Register an application", read
 * 2026-05-14), and in brackets those that many screens still show.
 */
export const accountTypes: Record<Audience, string> = {
  single: 'Single tenant only (formerly: Accounts in this organizational directory only)',
  multi: 'Multiple Entra ID tenants (formerly: Accounts in any organizational directory)',
  'multi-and-personal':
    'Any Entra ID Tenant + Personal Microsoft accounts (formerly: Accounts in any organizational directory and personal Microsoft accounts)',
  personal: 'Personal accounts only (formerly: Personal Microsoft accounts only)',
};
