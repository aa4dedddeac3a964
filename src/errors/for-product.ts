/** `mailauth login a@b   (comment)` → `mailauth login a@b --for P   (comment)`: the same set-up of a mailbox that has several. */
export function forProduct(line: string, product: string): string {
  const [, before = '', command = '', comment = ''] = named.exec(line) ?? [];
  return command === '' || /\s--for\b/.test(command) ? line : `${before}${command} --for ${product}${comment}`;
}

/** A command that takes a mailbox and names one. */
const named = /^(|.*: |sleep \d+; )(mailauth (?:login|token|test|secret|logout|export) [^|;]*?(?:@|\bMAILBOX\b)[^|;]*?)( {3}[(#].*)?$/;

/** The same for the diagnoses in a test's results, which are data of their own. */
export const resultsForProduct = <T extends { readonly diagnosis?: { readonly next: readonly string[] } }>(
  results: readonly T[],
  product: string | undefined,
): readonly T[] =>
  results.map((result) => {
    if (product === undefined || result.diagnosis === undefined) return result;
    const next = result.diagnosis.next.map((line) => forProduct(line, product));
    return { ...result, diagnosis: { ...result.diagnosis, next } };
  });
