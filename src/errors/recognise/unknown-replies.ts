/** Lines in which a mail server refuses: SMTP with an extended code (RFC 3463), POP3, IMAP with a tag or without. */
const reply =
  /(?<![\w.])(?:[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b|-ERR\b|(?<=^|[\s"':>])(?:[A-Z]{1,8}\d{1,6}|\*) (?:NO|BAD|BYE)\b)[^\n]{0,300}/gm;

const limit = 20;

/** The replies of servers in a text in which no sign stands. */
export function unknownReplies(text: string, signs: readonly { readonly at: number; readonly end: number }[]): readonly string[] {
  const found: string[] = [];
  const sorted = signs.toSorted((a, b) => a.at - b.at);
  let i = 0;
  for (const { 0: words, index } of text.matchAll(reply)) {
    while (i < sorted.length && (sorted[i]?.end ?? 0) <= index) i += 1;
    if ((sorted[i]?.at ?? Number.POSITIVE_INFINITY) < index + words.length) continue;
    found.push(words.trim());
    if (found.length >= limit) break;
  }
  return found;
}
