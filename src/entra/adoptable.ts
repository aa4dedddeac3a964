import * as z from 'zod/mini';
import { plain } from '../core/text.ts';
import type { GraphCommands } from '../errors/catalogue/registration/graph-errors.ts';
import { applicationFields, type ExistingApplication, readApplication } from './application.ts';
import { type Graph, quoted } from './graph.ts';
import { refusalProblem, rolesThat } from './refusals.ts';

/**
 * An app of the same name that this set-up did not make. Anybody in the tenant may have planted it, so all of this is shown before the
 * question.
 */
export interface Adoptable {
  readonly appId: string;
  readonly appObjectId: string;
  /** plain */
  readonly displayName: string;
  /** plain: `Ada Lovelace (ada@contoso.com)`; empty when the app has no owner, or the owners cannot be read */
  readonly owners: readonly { readonly objectId: string; readonly shown: string }[];
  /** the account that signed in is its only owner */
  readonly ownedBySignedIn: boolean;
  /** plain */
  readonly redirectUris: readonly string[];
  /** client secrets and certificates that somebody may hold */
  readonly credentialCount: number;
  /** for `differences` */
  readonly application: ExistingApplication;
}

const owner = z.object({
  id: z.string(),
  displayName: z.catch(z.nullish(z.string()), undefined),
  userPrincipalName: z.catch(z.nullish(z.string()), undefined),
});
const certificates = z.object({ keyCredentials: z.catch(z.array(z.unknown()), []) });
const mostApps = 10;

/** At most ten apps of this name. `tag`: this set-up's own tag; an app that carries it is left out. */
export async function findAdoptable(
  deps: { readonly graph: Graph; readonly commands: GraphCommands },
  { displayName, tag }: { displayName: string; tag?: string },
): Promise<readonly Adoptable[]> {
  const { graph } = deps;
  const filter = `displayName%20eq%20${quoted(displayName)}`;
  const answer = await graph.list(`/applications?$filter=${filter}&$select=${applicationFields}`);
  if (answer.kind === 'refused') {
    throw refusalProblem(answer, { ...deps.commands, exists: [], what: 'list applications', roles: rolesThat.register });
  }
  const apps = answer.items.flatMap((item) => {
    const application = readApplication(item);
    if (application === undefined || (tag !== undefined && application.tags.includes(tag))) return [];
    return [{ application, certificateCount: certificates.safeParse(item).data?.keyCredentials.length ?? 0 }];
  });
  return Promise.all(apps.slice(0, mostApps).map((app) => describe(graph, app.application, app.certificateCount)));
}

async function describe(graph: Graph, application: ExistingApplication, certificateCount: number): Promise<Adoptable> {
  const owners = await ownersOf(graph, application.id);
  const me = graph.claims.opaque ? undefined : graph.claims.objectId;
  return {
    appId: plain(application.appId, 64),
    appObjectId: application.id,
    displayName: plain(application.displayName, 120),
    owners,
    ownedBySignedIn: me !== undefined && owners.length === 1 && owners[0]?.objectId === me,
    redirectUris: [...application.publicClient.redirectUris, ...application.web.redirectUris].slice(0, 20).map((uri) => plain(uri, 260)),
    credentialCount: application.passwordCredentials.length + certificateCount,
    application,
  };
}

async function ownersOf(graph: Graph, appObjectId: string): Promise<Adoptable['owners']> {
  const answer = await graph.list(`/applications/${encodeURIComponent(appObjectId)}/owners?$select=id,displayName,userPrincipalName`);
  if (answer.kind === 'refused') return [];
  return answer.items.flatMap((item) => {
    const read = owner.safeParse(item);
    if (!read.success) return [];
    const { id, displayName, userPrincipalName } = read.data;
    const name = plain(displayName ?? '', 120);
    const address = plain(userPrincipalName ?? '', 200);
    return [{ objectId: id, shown: name === '' || address === '' ? name || address || id : `${name} (${address})` }];
  });
}
