import type { Cloud, Tenant } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import { discoverTenant } from '../../entra/discovery.ts';
import { checkTenant } from '../answers/answers.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';

/** Finds a tenant by its domain or ID; a person may correct one that does not exist. Throws what discovery throws. */
export async function findTenant(deps: SetupDeps, cloud: Cloud, first: string): Promise<Tenant> {
  const { ctx, report } = deps;
  let asked = first;
  for (;;) {
    report.progress('tenant', 'started', `Looking for the tenant of ${asked}`);
    try {
      const tenant = await discoverTenant({
        network: await deps.network(),
        cloud,
        domainOrId: asked,
        timeoutMs: deps.stepTimeoutMs,
        signal: ctx.signal,
      });
      report.progress('tenant', 'done', `Tenant ${asked} (${tenant.id}), v2 endpoints found`);
      report.detail(`authorization endpoint ${tenant.endpoints.authorization}`);
      report.detail(`token endpoint         ${tenant.endpoints.token}`);
      return tenant;
    } catch (error) {
      if (!deps.canAsk || !(error instanceof MailauthError) || error.code !== 'tenant-unknown') throw error;
      report.progress('tenant', 'failed', error.title);
      asked = await ctx.prompts.text({ message: 'Which tenant? (its domain or its ID)', check: checkTenant });
    }
  }
}
