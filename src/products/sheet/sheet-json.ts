import { Secret } from '../../core/secret.ts';
import type { Sheet, SheetField } from './sheet.ts';
import type { Reveal } from './shown.ts';

/** The sheet as data: for `--handover sheet.json` and `data.sheet`. A masked secret is `value: null` with `secret: true`, never asterisks. */
export function sheetJson(sheet: Sheet, { reveal }: Reveal) {
  const field = ({ label, value, how, note, secret }: SheetField) => ({
    label,
    value: value instanceof Secret ? (reveal ? value.reveal() : null) : secret === true ? null : value,
    secret: secret === true,
    how,
    note: note ?? null,
  });
  return {
    schema: 'mailauth/1' as const,
    title: sheet.title,
    mailbox: sheet.mailbox,
    for: sheet.for,
    product: sheet.product,
    writtenAt: sheet.writtenAt ?? null,
    parts: sheet.parts.map((part) => ({ where: part.where, fields: part.fields.map(field), press: part.press, trap: part.trap ?? null })),
    servers: sheet.servers,
    notes: sheet.notes,
    renewal: { at: sheet.renewal.at ?? null, what: sheet.renewal.what, steps: sheet.renewal.steps },
    registered: sheet.registered.map(({ label, value }) => ({ label, value: String(value) })),
  };
}

export const renderSheetJson = (sheet: Sheet, reveal: Reveal): string => `${JSON.stringify(sheetJson(sheet, reveal), null, 2)}\n`;
