/** What a list of addresses names. Display names, comments and group names are left out. */
export interface AddressList {
  /** without angle brackets, each as it goes into `RCPT TO`; one without `@` is a local name */
  readonly addresses: readonly string[];
  /** pieces that cannot be read as an address */
  readonly unreadable: readonly string[];
}

type Token = { readonly kind: 'word' | 'quoted' | 'literal' | 'sign'; readonly text: string };

/**
 * Reads the value of To, Cc or Bcc, or an argument of the command line (RFC 5322 section 3.4 with its obsolete forms, RFC 6531 for addresses
 * that are not ASCII). A piece that can be read in two ways is unreadable: a list that leaves a recipient out without a word would lose mail.
 * So nodemailer's reader, which takes `a@b.c d@e.f` for one address with a name, is not used here.
 */
export function readAddresses(text: string): AddressList {
  const addresses: string[] = [];
  const unreadable: string[] = [];
  for (const piece of pieces(text)) {
    const address = addressIn(piece.tokens);
    if (address === undefined) unreadable.push(piece.text.trim());
    else if (address !== '') addresses.push(address);
  }
  return { addresses, unreadable };
}

/** The same mailbox, for comparing: Exchange compares without regard to case. */
export const sameAddress = (address: string): string => address.toLowerCase();

interface Piece {
  readonly text: string;
  /** undefined: a quotation, a comment or a bracket has no end, or there is a control character */
  readonly tokens: readonly Token[] | undefined;
}

/** Cuts at the commas, and at the signs of a group: its name ends with a colon, its members with a semicolon. */
function* pieces(text: string): Generator<Piece> {
  let tokens: Token[] = [];
  let from = 0;
  let inAngle = false;
  for (let at = 0; at < text.length; ) {
    const found = tokenAt(text, at);
    if (found === undefined) {
      yield { text: text.slice(from), tokens: undefined };
      return;
    }
    const { token, end } = found;
    if (token !== undefined && !inAngle && divides(token)) {
      yield token.text === ':' ? groupName(text.slice(from, at), tokens) : { text: text.slice(from, at), tokens };
      tokens = [];
      from = end;
    } else if (token !== undefined) tokens.push(token);
    if (token?.kind === 'sign' && /[<>]/.test(token.text)) inAngle = token.text === '<';
    at = end;
  }
  yield { text: text.slice(from), tokens };
}

const divides = ({ kind, text }: Token): boolean => kind === 'sign' && /[,;:]/.test(text);

/** The name of a group is no address; what looks like one before a colon must not be left out without a word. */
const groupName = (text: string, tokens: readonly Token[]): Piece => ({
  text,
  tokens: tokens.some(({ kind, text: word }) => kind === 'sign' && word === '@') ? undefined : [],
});

/** The token that begins at this place; without `token`, white space or a comment. Undefined: it has no end. */
function tokenAt(text: string, at: number): { readonly token?: Token; readonly end: number } | undefined {
  const first = text[at] ?? '';
  if (/[ \t\r\n]/.test(first)) return { end: at + 1 };
  if (first === '(') {
    const end = endOfComment(text, at);
    return end === undefined ? undefined : { end };
  }
  if (first === '"') return read(text, at, /"((?:[^"\\\p{Cc}]|\\[^\p{Cc}]|\r\n[ \t]|\t)*)"/uy, 'quoted');
  if (first === '[') return read(text, at, /\[[^[\]\\\p{Cc}]*\]/uy, 'literal');
  if (/[<>,;:@]/.test(first)) return { token: { kind: 'sign', text: first }, end: at + 1 };
  return read(text, at, /[^\s()<>[\]:;@\\,"\p{Cc}]+/uy, 'word');
}

function read(text: string, at: number, pattern: RegExp, kind: Token['kind']): { token: Token; end: number } | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? undefined : { token: { kind, text: found[1] ?? found[0] }, end: pattern.lastIndex };
}

/** Comments may stand inside of comments. */
function endOfComment(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** `''`: the piece is empty (`a@b.c,,d@e.f`). Undefined: it is no address. */
function addressIn(tokens: readonly Token[] | undefined): string | undefined {
  if (tokens === undefined) return undefined;
  const open = tokens.findIndex(({ kind, text }) => kind === 'sign' && text === '<');
  if (open < 0) return tokens.length === 0 ? '' : specIn(tokens);
  const close = tokens.findIndex(({ kind, text }) => kind === 'sign' && text === '>');
  // Behind the address only a comment may stand, which is no token.
  if (close !== tokens.length - 1) return undefined;
  return specIn(withoutRoute(tokens.slice(open + 1, close)));
}

/** `<@relay.example:ada@contoso.com>`: the route is obsolete, and left out (RFC 5321 section 4.1.1.3). */
function withoutRoute(tokens: readonly Token[]): readonly Token[] {
  if (tokens[0]?.text !== '@') return tokens;
  return tokens.slice(tokens.findIndex(({ kind, text }) => kind === 'sign' && text === ':') + 1);
}

function specIn(tokens: readonly Token[]): string | undefined {
  const at = tokens.findIndex(({ kind, text }) => kind === 'sign' && text === '@');
  const local = joined(at < 0 ? tokens : tokens.slice(0, at), ({ kind }) => kind === 'word' || kind === 'quoted', inLocal);
  if (local === undefined || at < 0) return local;
  const behind = tokens.slice(at + 1);
  const [only] = behind;
  const domain =
    behind.length === 1 && only?.kind === 'literal'
      ? only.text
      : joined(
          behind,
          ({ kind }) => kind === 'word',
          ({ text }) => text,
        );
  if (domain === undefined || /^\.|\.\.|[^\p{L}\p{M}\p{N}._:[\]-]/u.test(domain) || local.includes('\uFFFD')) return undefined;
  return `${local}@${domain.replace(/\.$/, '')}`;
}

/** Words with a dot between each two, which may have blanks around it; undefined where a dot or everything is missing. */
function joined(tokens: readonly Token[], isPart: (token: Token) => boolean, shown: (token: Token) => string): string | undefined {
  let whole = '';
  for (const token of tokens) {
    if (!isPart(token)) return undefined;
    if (whole !== '' && !whole.endsWith('.') && !(token.kind === 'word' && token.text.startsWith('.'))) return undefined;
    whole += shown(token);
  }
  return whole === '' ? undefined : whole;
}

/** A quotation that is not needed is left out, so that one mailbox has one spelling. */
function inLocal({ kind, text }: Token): string {
  if (kind !== 'quoted') return text;
  const plain = text.replace(/\r\n/g, '').replaceAll('\t', ' ').replace(/\\(.)/gu, '$1');
  return /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
