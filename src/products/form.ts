import type { Endpoints, MailHost, Protocol } from '../core/cloud.ts';

/** What a product's form can be filled from. Where a value is not known yet it is a placeholder in capitals, never empty. */
export interface FormFacts {
  readonly mailbox: string;
  /** who signs in: the mailbox itself, or the licensed user of a shared one */
  readonly signsIn: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** empty where the guide registers none */
  readonly redirectUri: string;
  readonly endpoints: Pick<Endpoints, 'authorization' | 'token'>;
  /** full scope strings, as a token request names them */
  readonly scopes: readonly string[];
  readonly servers: Readonly<Record<Protocol, MailHost>>;
  readonly protocols: readonly Protocol[];
}

/**
 * One field of a product's own form. `label` is the product's own word for it, to the letter.
 * `how`: `enter` (default), `choose` from a list, `compare` what the product has filled in or shows, `own` words of the operator.
 */
export type FormField = {
  readonly label: string;
  readonly how?: 'enter' | 'choose' | 'compare' | 'own';
  /** the mistake that people make at this very field */
  readonly note?: string;
} & ({ readonly value: (f: FormFacts) => string } | { readonly secret: 'client-secret' | 'password' });

/** One screen of the product: where it is, what to enter, and what to press then, step by step. */
export interface FormPart {
  readonly where: string;
  readonly fields: readonly FormField[];
  readonly press: (f: FormFacts) => readonly string[];
  readonly trap?: string;
}
