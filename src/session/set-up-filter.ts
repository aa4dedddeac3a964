import type { Command } from 'commander';
import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';

/** Which of many set-ups a command means. `mailbox`, `tenant` and `label` are lower case. */
export interface SetUpFilter {
  readonly mailbox?: string;
  readonly for?: string;
  readonly tenant?: string;
  readonly label?: string;
}

const schema = z.object({ for: z.optional(z.string()), tenant: z.optional(z.string()), label: z.optional(z.string()) });

/** `--tenant` and `--label` beside the command's own `--for`. */
export const filterOptions = (command: Command): Command =>
  command
    .option('--tenant <tenant>', 'only the set-ups of this tenant: its ID or a domain of its mailboxes')
    .option('--label <text>', 'only the set-ups with this label, in capital or small letters');

/** What the flags say. Whether the product exists is the caller's to check (`productFlag`). */
export function readFilter(flags: unknown): SetUpFilter {
  const { for: product, tenant, label } = schema.parse(flags);
  return defined({ for: product, tenant: tenant?.trim().toLowerCase(), label: label?.trim().toLowerCase() });
}

interface Filtered {
  readonly mailbox: string;
  readonly for: string;
  readonly label?: string;
}

/** `tenant`: the ID of the set-up, or the domain that an unfinished one has noted. */
export function isChosen(one: Filtered, tenant: string | undefined, filter: SetUpFilter): boolean {
  if (filter.mailbox !== undefined && one.mailbox !== filter.mailbox) return false;
  if (filter.for !== undefined && one.for !== filter.for) return false;
  if (filter.label !== undefined && one.label?.toLowerCase() !== filter.label) return false;
  return filter.tenant === undefined || tenant?.toLowerCase() === filter.tenant || one.mailbox.endsWith(`@${filter.tenant}`);
}

/** Damaged files say nothing of their tenant or label: they are left out where one of these was asked for. */
export const mayBeChosen = ({ tenant, label }: SetUpFilter): boolean => tenant === undefined && label === undefined;

/** The filters as they were given: `--tenant contoso.com --label contoso`. */
export const wordsOf = (filter: SetUpFilter): string =>
  (['for', 'tenant', 'label'] as const).flatMap((flag) => (filter[flag] === undefined ? [] : [`--${flag} ${filter[flag]}`])).join(' ');
