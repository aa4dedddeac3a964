import { applicationFields } from './application.ts';
import type { Graph, GraphAnswer } from './graph.ts';
import { fewTries, type Patiently } from './patience.ts';

/**
 * Reads an application that should be there. A 404 has two reasons: a replica that has not heard of it yet (asked again, 14 s at most), or
 * somebody deleted it; then it lies among the tenant's deleted items for 30 days, and nobody has to wait
 * (learn.microsoft.com/graph/api/directory-deleteditems-get).
 */
export async function readStanding(
  graph: Graph,
  patiently: Patiently,
  appObjectId: string,
  fields: string = applicationFields,
): Promise<GraphAnswer> {
  const path = `/applications/${encodeURIComponent(appObjectId)}?$select=${fields}`;
  const answer = await graph.get(path);
  if (answer.kind === 'ok' || answer.status !== 404) return answer;
  const deleted = await graph.get(`/directory/deletedItems/${encodeURIComponent(appObjectId)}?$select=id`);
  return deleted.kind === 'ok' ? answer : patiently(() => graph.get(path), fewTries);
}
