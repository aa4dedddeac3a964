import { type Again, again } from '../../core/next.ts';
import { redirectSource } from '../../products/product.ts';
import { productNamed } from '../../products/products.ts';
import { type AnswerId, isLoopback, type Known } from './answers.ts';

export const productOf = (known: Known) => productNamed(known.for ?? '');
export const leftToOperator = (id: AnswerId) => (known: Known) => productOf(known)?.asks.some((asked) => asked === id) ?? false;
/** The redirect URI is the product's own, shown on one of its screens. */
export const isProduct = (known: Known): boolean => {
  const product = productOf(known);
  return product !== undefined && redirectSource(product) === 'product';
};
/** A product's own callback address wins over a redirect that the sandbox brings along. */
export const elsewhere = (uri: string | undefined): string | undefined => (uri === undefined || isLoopback(uri) ? undefined : uri);
/** The command that is running, with what is known of the mailbox and its product, and with these flags. */
export const base = (known: Known, flags: Readonly<Record<string, string | number | false>> = {}): Again =>
  again({ mailbox: known.mailbox, for: known.for === 'this-computer' ? undefined : known.for, ...flags });

export const isAppOnly = (known: Known): boolean => known.access === 'app-only';

/** Whether an app is registered in this set-up: of an app that exists nothing but its ID and its redirect URI is asked. */
export const isRegistering = (known: Known): boolean => known.register !== 'existing';

/** The finished set-up does not record the answer, so any answer leaves it as it is. */
export const anyIsKept = (): boolean => true;
