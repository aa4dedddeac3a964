import type { Reveal } from '../step/step.ts';
import { stepJson } from '../step/step-json.ts';
import type { Sheet } from './sheet.ts';

/** The sheet as data: for `--handover sheet.json` and `data.sheet`. */
export function sheetJson(sheet: Sheet, reveal: Reveal) {
  return {
    schema: 'mailauth/1' as const,
    title: sheet.title,
    mailbox: sheet.mailbox,
    for: sheet.for,
    product: sheet.product,
    writtenAt: sheet.writtenAt ?? null,
    parts: sheet.parts.map((step) => stepJson(step, reveal)),
    servers: sheet.servers,
    notes: sheet.notes,
    renewal: { at: sheet.renewal.at ?? null, what: sheet.renewal.what, steps: sheet.renewal.steps.map(({ text }) => text) },
    registered: sheet.registered.map(({ label, value }) => ({ label, value: String(value) })),
  };
}

export const renderSheetJson = (sheet: Sheet, reveal: Reveal): string => `${JSON.stringify(sheetJson(sheet, reveal), null, 2)}\n`;
