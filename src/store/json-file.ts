import type * as z from 'zod/mini';

/** The content of a file that mailauth wrote, or why it cannot be used. The caller decides what a missing file means. */
export type Parsed<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'broken'; readonly why: string };

/** Reads JSON text by its schema. `why` names the place and never quotes the content. */
export function parseJsonFile<T>(text: string, schema: z.ZodMiniType<T>): Parsed<T> {
  if (text.trim() === '') return { kind: 'broken', why: 'it is empty' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'broken', why: 'it is not JSON' };
  }
  const read = schema.safeParse(json);
  if (read.success) return { kind: 'ok', value: read.data };
  const place = read.error.issues[0]?.path.join('.') ?? '';
  return { kind: 'broken', why: place === '' ? 'it is not an object' : `its field "${place}" is missing or wrong` };
}

/** JSON that a person can read, with a newline at its end. */
export const toJsonFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
