import { json, type SandboxReply, type SandboxRequest } from './http.ts';
import type { Service } from './service.ts';

/** Everything under `/graph/`. Registration through Graph is not built yet: answers 501 in Graph's own error shape. */
export async function graphEndpoint(service: Service, request: SandboxRequest): Promise<SandboxReply> {
  return json(501, {
    error: {
      code: 'notImplemented',
      message: `The sandbox does not answer ${request.method} ${request.path} yet.`,
      innerError: { 'request-id': service.ctx.random.uuid(), date: new Date(service.ctx.clock.now()).toISOString() },
    },
  });
}
