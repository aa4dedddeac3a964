import { type ListedSecret, listSecrets, removeSecret, type SecretDeps } from './app-secret.ts';

/**
 * Display name of the secret that one rotation makes: the random id tells it from everybody else's, and the words from a set-up's, whose
 * orphans are swept by another name. `startedAt`: RFC 3339.
 */
export const rotationName = ({ id, startedAt }: { readonly id: string; readonly startedAt: string }): string =>
  `mailauth rotation ${startedAt.slice(0, 10)} ${id}`;

/**
 * Removes what this rotation made and nobody has the value of: exactly its name, and none of `keep`. Other secrets of the app are never
 * touched. Answers what is left, and how many went. Throws as `listSecrets` and `removeSecret`.
 */
export async function removeLost(
  deps: SecretDeps,
  { appObjectId, name, keep }: { appObjectId: string; name: string; keep: readonly string[] },
): Promise<{ readonly left: readonly ListedSecret[]; readonly removed: number }> {
  const { secrets } = await listSecrets(deps, { appObjectId });
  const lost = secrets.filter((one) => one.displayName === name && !keep.includes(one.keyId));
  for (const { keyId } of lost) await removeSecret(deps, { appObjectId, keyId });
  return { left: secrets.filter((one) => !lost.includes(one)), removed: lost.length };
}
