import { shellWord } from '../../core/links.ts';
import type { Product } from '../product.ts';
import type { SheetFacts } from './sheet-facts.ts';

/** What ends this set-up some day, and what to do then. */
export interface Renewal {
  /** RFC 3339; undefined: nothing expires by the calendar, or the date is not known here */
  readonly at?: string;
  readonly what: string;
  readonly steps: readonly string[];
}

export function renewalOf(product: Product, f: SheetFacts): Renewal {
  return f.clientType === 'confidential' ? ofSecret(product, f) : withoutSecret(product, f);
}

function ofSecret(product: Product, f: SheetFacts): Renewal {
  const rotate = `mailauth secret rotate ${shellWord(f.mailbox)} --for ${product.name}`;
  const part = product.form.find(({ fields }) => fields.some((field) => 'secret' in field && field.secret === 'client-secret'));
  const label = part?.fields.find((field) => 'secret' in field)?.label;
  const inProduct =
    part === undefined || label === undefined
      ? []
      : [`Put the new value into "${label}" (${part.where}) and go through what to press there again`, `${rotate} --finish`];
  return {
    ...(f.secretExpiresAt === undefined ? {} : { at: f.secretExpiresAt }),
    what:
      f.secretExpiresAt === undefined
        ? 'The client secret expires on a day that mailauth does not know: see Certificates & secrets in the portal. From then on no mail moves.'
        : `The client secret expires on ${f.secretExpiresAt.slice(0, 10)}. From then on no mail moves.`,
    steps: [rotate, ...inProduct],
  };
}

function withoutSecret(product: Product, f: SheetFacts): Renewal {
  const password = product.form.some(({ fields }) => fields.some((field) => 'secret' in field && field.secret === 'password'));
  if (password) {
    return {
      what: 'There is no client secret, and no date. It ends when the password of the mailbox is changed or MFA is switched on for it.',
      steps: ['Enter the new password at the same place, save and test'],
    };
  }
  return {
    what: 'There is no client secret. The sign-in ends after 90 days without use, or when an administrator revokes it.',
    steps: product.name === 'custom' ? ['Let the program sign in again'] : [`mailauth login ${shellWord(f.mailbox)}`],
  };
}
