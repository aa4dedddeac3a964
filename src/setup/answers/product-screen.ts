import { fold } from '../../core/fold.ts';
import type { ProductScreen } from '../../products/product.ts';

/** Where a product shows a value that only the operator can fetch. `columns`: of the terminal, Infinity for a pipe. */
export function renderProductScreen(screen: ProductScreen, columns: number): string {
  return [
    '',
    `  Fetch the ${screen.field} first:`,
    `  ${fold(screen.where, columns, 2)}`,
    ...screen.actions.map((action) => `    - ${fold(action, columns, 6)}`),
    ...(screen.trap === undefined ? [] : ['', `    ${fold(`Careful: ${screen.trap}`, columns, 4)}`]),
    '',
    '',
  ].join('\n');
}
