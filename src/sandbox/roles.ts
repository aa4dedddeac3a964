import { type Role, rolesOf } from './directory.ts';
import type { FaultName } from './faults.ts';

/** The directory roles that count under this fault: two of them take everybody's away. */
export function effectiveRoles(address: string, fault: FaultName | undefined): readonly Role[] {
  return fault === 'graph-not-admin' || fault === 'registration-forbidden' ? [] : rolesOf(address);
}
