import type { Hit, SignHit } from './hit.ts';
import { isOAuthWord } from './needles.ts';

/**
 * A longer sentence says more than a shorter one inside it, a sentence more than the code in front of it, and a hint near an exact sign only
 * repeats it.
 */
export function mostSpecific(hits: readonly Hit[], text: string): readonly Hit[] {
  const sorted = hits.toSorted((a, b) => a.at - b.at || size(b) - size(a) || b.end - a.end);
  const outer: Hit[] = [];
  let reaches: readonly (readonly [number, number])[] = [];
  let last = -1;
  for (const hit of sorted) {
    if (hit.kind === 'sign' && (hit.at === last || reaches.some(([at, end]) => hit.at >= at && hit.end <= end))) continue;
    outer.push(hit);
    if (hit.kind !== 'sign') continue;
    last = hit.at;
    reaches = [...reaches.filter(([, end]) => end > hit.at), ...(hit.parts ?? [[hit.at, hit.end] as const])];
  }
  const said = outer.filter((hit, i) => !isOnlyCode(hit) || !isSaidBehind(hit, outer, i + 1, text));
  const strong = said.filter((hit) => !isHint(hit) && !isFollowing(hit));
  const firm = said.filter((hit) => !isHint(hit) || !isNear(hit, strong));
  return firm.filter((hit, i) => !isFollowing(hit) || i === 0);
}

/** Not mailauth's own codes: those name the error itself. */
const isOnlyCode = (hit: Hit): hit is SignHit =>
  hit.kind === 'sign' && hit.needle.weight === 'sign' && hit.needle.exact !== undefined && hit.needle.exact.text !== hit.needle.entry;

/** `554 5.2.2 the sender's submission quota was exceeded` */
function isSaidBehind(code: SignHit, hits: readonly Hit[], from: number, text: string): boolean {
  for (let i = from; i < hits.length; i += 1) {
    const hit = hits[i];
    if (hit === undefined || hit.kind === 'number' || hit.at - code.end > nearby) return false;
    if (hit.needle.exact !== undefined || hit.needle.weight !== 'sign') continue;
    return hit.at - code.end < 40 || !text.slice(code.end, hit.at).includes('\n');
  }
  return false;
}

const nearby = 200;
const isHint = (hit: Hit): boolean => hit.kind === 'sign' && hit.needle.weight === 'hint' && !isOAuthWord(hit.needle);
const isFollowing = (hit: Hit): boolean => hit.kind === 'sign' && hit.needle.weight === 'follows';

function isNear(hit: Hit, strong: readonly Hit[]): boolean {
  // the first that ends behind the beginning of what is near
  let [low, high] = [0, strong.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((strong[middle]?.end ?? 0) < hit.at - nearby) low = middle + 1;
    else high = middle;
  }
  return (strong[low]?.at ?? Number.POSITIVE_INFINITY) <= hit.end + nearby;
}

/** Of two sentences that begin at one place, the one with more parts says more, then the one with more letters. */
function size(hit: Hit): number {
  if (hit.kind === 'number') return 0;
  const { letters, further = [] } = hit.needle;
  return further.length * 10_000 + further.reduce((sum, part) => sum + part.length, letters.length);
}
