import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Secret } from '../core/secret.ts';
import type { Exists, GraphCommands } from '../errors/catalogue/registration/graph-errors.ts';
import type { Graph } from './graph.ts';
import type { GraphRefusal } from './graph-answer.ts';
import type { Resource } from './manifest.ts';
import { refusalProblem, rolesThat } from './refusals.ts';
import { type ReplicationDeps, type UntilReplicated, untilReplicatedWith } from './replication.ts';

export interface RegistrationDeps extends ReplicationDeps {
  readonly graph: Graph;
  readonly commands: GraphCommands;
  /** puts the secret into the store, together with its id; awaited before anything else happens, because Microsoft shows the value only once */
  readonly keepSecret: (secret: Secret, about: { readonly keyId: string; readonly endDateTime: string }) => Promise<void>;
}

/** What earlier runs of this set-up recorded. */
export interface KnownRegistration {
  /** `creating` was recorded: the app may exist although its ids were never recorded */
  readonly creating?: boolean;
  readonly appObjectId?: string;
  readonly appId?: string;
  readonly spObjectId?: string;
  /** of every secret of this app whose value the store holds; every other secret of this set-up is an orphan */
  readonly keyIds?: readonly string[];
  /** of an open rotation: a product still uses this secret, so it is neither an orphan nor the set-up's live secret */
  readonly keepKeyIds?: readonly string[];
}

/** A finished step; recorded before the next begins. */
export type RegistrationProgress =
  | { readonly step: 'creating' }
  | { readonly step: 'application'; readonly appObjectId: string; readonly appId: string }
  | { readonly step: 'service-principal'; readonly spObjectId: string }
  | { readonly step: 'grant'; readonly resource: Resource; readonly grantId: string }
  | { readonly step: 'secret'; readonly keyId: string; readonly endDateTime: string };

/** What a run changed in the tenant. `application`: the run made it; `application-changed`: it existed and was changed. */
export type Change = 'application' | 'application-changed' | 'service-principal' | 'grant' | 'app-role' | 'secret' | 'orphan-secret';

/** One run of a registration: what its steps share. It stands in a file of its own, so that the steps do not import their caller. */
export interface RegistrationRun {
  readonly deps: RegistrationDeps;
  readonly plan: RegistrationPlan;
  readonly known: KnownRegistration;
  readonly untilReplicated: UntilReplicated;
  readonly record: (progress: RegistrationProgress) => Promise<void>;
  /** what exists in the tenant by now, in words, for errors */
  readonly exists: string[];
  readonly changed: Set<Change>;
  fail(refusal: GraphRefusal, what: string, roles?: readonly string[]): Error;
}

export function startRun(
  deps: RegistrationDeps,
  plan: RegistrationPlan,
  known: KnownRegistration,
  record: RegistrationRun['record'],
): RegistrationRun {
  const exists = known.appId === undefined ? [] : [`the application ${known.appId}`];
  const run: RegistrationRun = {
    deps,
    plan,
    known,
    record,
    exists,
    untilReplicated: untilReplicatedWith(deps),
    changed: new Set(),
    fail: (refusal, what, roles = rolesThat.register) => refusalProblem(refusal, { ...aboutNow(run), what, roles, plan }),
  };
  return run;
}

/** What an error says about the tenant as it is now. */
export function aboutNow({ deps, exists }: Pick<RegistrationRun, 'deps' | 'exists'>): Exists & { readonly who: string | undefined } {
  const { claims } = deps.graph;
  return { ...deps.commands, exists: [...exists], who: claims.opaque ? undefined : claims.username };
}
