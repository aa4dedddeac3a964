import type { FaultName } from '../faults/faults.ts';
import { type Role, rolesOf } from './directory.ts';

/** The directory roles that count under this fault: two of them take everybody's away. */
export function effectiveRoles(address: string, fault: FaultName | undefined): readonly Role[] {
  return fault === 'graph-not-admin' || fault === 'registration-forbidden' ? [] : rolesOf(address);
}
