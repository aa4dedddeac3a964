/**
 * A QR code as lines of half blocks, for a terminal. Light modules are drawn, so that it reads rightly on a dark screen; phones
 * read the inverse of a light one too.
 */
export async function qr(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(text, { border: 2 });
}
