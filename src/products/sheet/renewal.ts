import { defined } from '../../core/defined.ts';
import { mailauth, type NextStep, plus } from '../../core/next.ts';
import type { Product } from '../product.ts';
import type { FieldValue, Step } from '../step/step.ts';
import type { SheetFacts } from './sheet-facts.ts';

/** What ends this set-up some day, and what to do then. */
export interface Renewal {
  /** RFC 3339; undefined: nothing expires by the calendar, or the date is not known here */
  readonly at?: string;
  readonly what: string;
  readonly steps: readonly NextStep[];
}

/** `form`: the product's own screens, filled in. */
export function renewalOf(product: Product, f: SheetFacts, form: readonly Step[]): Renewal {
  return f.clientType === 'confidential' ? ofSecret(product, f, form) : withoutSecret(product, f, form);
}

function ofSecret(product: Product, f: SheetFacts, form: readonly Step[]): Renewal {
  const rotate = mailauth('secret rotate', f.mailbox, { for: product.name });
  const place = placeOf('client-secret', form);
  return {
    ...defined({ at: f.secretExpiresAt }),
    what:
      f.secretExpiresAt === undefined
        ? 'mailauth does not know when the client secret expires: see Certificates & secrets in the portal. From that day on, no mail is read or sent.'
        : `The client secret expires on ${f.secretExpiresAt.slice(0, 10)}. From that day on, no mail is read or sent.`,
    steps: [
      rotate,
      ...(place === undefined
        ? []
        : [
            `Put the new value into "${place.label}" (${place.where}) and repeat the steps that follow it there`,
            plus(rotate, { finish: true }),
          ]),
    ],
  };
}

function withoutSecret(product: Product, f: SheetFacts, form: readonly Step[]): Renewal {
  if (placeOf('password', form) !== undefined) {
    return {
      what: 'This set-up has no client secret and no end date. It ends when the password of the mailbox changes or MFA is switched on for it.',
      steps: ['Enter the new password in the same place, save and test'],
    };
  }
  return {
    what: 'This set-up has no client secret. The sign-in ends after 90 days without use, or when an administrator revokes it.',
    steps: product.name === 'custom' ? ['Let the program sign in again'] : [mailauth('login', f.mailbox)],
  };
}

/** The field of the form that takes this secret. */
function placeOf(secret: FieldValue['secret'], form: readonly Step[]): { readonly label: string; readonly where: string } | undefined {
  const [place] = form.flatMap(({ where, fields }) =>
    fields.flatMap((field) => (field.secret === secret ? [{ label: field.label, where }] : [])),
  );
  return place;
}
