const limit = 20;

/**
 * Where a mail server refuses: SMTP with an extended code (RFC 3463), POP3, IMAP behind a tag. Each begins with fixed letters, because a
 * long log is looked through once for each.
 */
const refusals = [/\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b[^\n]{0,300}/g, /-ERR\b[^\n]{0,300}/g, / (?:NO|BAD|BYE) [^\n]{0,300}/g];
const tag = /(?:^|[\s"':>])(?:[A-Z]{1,8}\d{1,6}|\*)$/;

/** The replies of servers in a text in which no sign stands. */
export function unknownReplies(text: string, signs: readonly { readonly at: number; readonly end: number }[]): readonly string[] {
  const sorted = signs.toSorted((a, b) => a.at - b.at);
  return refusals.flatMap((refusal) => unsigned(text, refusal, sorted)).slice(0, limit);
}

function unsigned(text: string, refusal: RegExp, signs: readonly { readonly at: number; readonly end: number }[]): readonly string[] {
  const found: string[] = [];
  let i = 0;
  for (const { 0: words, index } of text.matchAll(refusal)) {
    while (i < signs.length && (signs[i]?.end ?? 0) <= index) i += 1;
    if ((signs[i]?.at ?? Number.POSITIVE_INFINITY) < index + words.length) continue;
    // A word between blanks may be any English "no".
    const [mark] = words.startsWith(' ') ? (tag.exec(text.slice(Math.max(0, index - 16), index)) ?? []) : [''];
    if (mark === undefined) continue;
    found.push(`${mark}${words}`.trim());
    if (found.length >= limit) break;
  }
  return found;
}
