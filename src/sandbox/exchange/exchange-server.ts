import * as z from 'zod/mini';
import { type ExchangeRefusalFault, exchangeRefusals } from '../faults/faults-exchange.ts';
import { json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { effectiveRoles, homeTenantOf } from '../tenant/directory.ts';
import { exchangeScope } from '../tenant/microsoft-resources.ts';
import { type CmdletAnswer, runCmdlet } from './cmdlets.ts';

const bodySchema = z.object({
  CmdletInput: z.object({
    CmdletName: z.string(),
    Parameters: z.record(z.string(), z.nullable(z.union([z.string(), z.boolean()]))),
  }),
});

const roles = ['Global Administrator', 'Exchange Administrator'];

/** `POST /exchange/adminapi/beta/{tenantId}/InvokeCommand`, as Microsoft's module ExchangeOnlineManagement calls it. */
export async function exchangeEndpoint(service: Service, request: SandboxRequest): Promise<SandboxReply> {
  const [, tenantId] = /^\/exchange\/adminapi\/beta\/([\w-]+)\/InvokeCommand$/.exec(request.path) ?? [];
  if (request.method !== 'POST' || tenantId === undefined) {
    return errorReply(404, 'NotFound', 'Microsoft.Exchange.Admin.NotFoundException', 'The tenant or the path is not known.');
  }
  const read = parse(request.body);
  if (!read.success) return errorReply(400, 'BadRequest', 'Microsoft.Exchange.Admin.BadRequestException', 'CmdletInput is missing.');
  const { CmdletName: name, Parameters: parameters } = read.data.CmdletInput;
  const busy = throttled(service) ?? refusedByFault(service, `${name} ${Object.keys(parameters).at(-1) ?? ''}`);
  if (busy !== undefined) return busy;
  const refusal = authenticate(service, request, tenantId);
  if (refusal !== undefined) return refusal;
  const { Identity: mailbox } = parameters;
  // A tenant knows its own mailboxes only.
  const isForeign = typeof mailbox === 'string' && mailbox.includes('@') && homeTenantOf(mailbox) !== tenantId;
  const call = { name, parameters: isForeign ? { ...parameters, Identity: 'nowhere' } : parameters, fault: service.fault };
  const answer = name.startsWith('Get-')
    ? runCmdlet(call, await service.state.read())
    : await service.state.change((state) => runCmdlet(call, state));
  return reply(service, answer, tenantId);
}

function reply({ addresses }: Service, answer: CmdletAnswer, tenantId: string): SandboxReply {
  if (answer.kind === 'refused') return errorReply(answer.status, answer.code, answer.exception, answer.message);
  return json(200, {
    '@odata.context': `${addresses.exchange}/adminapi/beta/${tenantId}/$metadata#Collection(Exchange)`,
    value: answer.objects,
  });
}

function errorReply(status: number, code: string, exception: string, message: string): SandboxReply {
  return json(status, {
    error: {
      code,
      message: 'An error occurred.',
      details: [{ code: 'Context', target: '', message: `|${exception}|${message}` }],
      innererror: { message: 'Error executing cmdlet', type: exception, internalexception: { message } },
    },
  });
}

function authenticate(service: Service, request: SandboxRequest, tenantId: string): SandboxReply | undefined {
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const claims = service.mint.check(token);
  const audiences = [service.addresses.exchange, 'https://outlook.office365.com'];
  const isForExchange = claims !== undefined && audiences.includes(claims.aud) && claims.scp?.split(' ').includes(exchangeScope) === true;
  if (!isForExchange || claims.upn === undefined || claims.tid !== tenantId) return { status: 401, headers: {}, body: '' };
  const isAdministrator = effectiveRoles(claims.upn, service.fault).some(({ name }) => roles.includes(name));
  return isAdministrator ? undefined : { status: 403, headers: {}, body: '' };
}

const calls = new WeakMap<Service, number>();

function throttled(service: Service): SandboxReply | undefined {
  const before = calls.get(service) ?? 0;
  calls.set(service, before + 1);
  return service.fault === 'exchange-throttled' && before < 2 ? json(429, {}, { 'retry-after': '1' }) : undefined;
}

function refusedByFault({ fault: name }: Service, call: string): SandboxReply | undefined {
  const fault: ExchangeRefusalFault | undefined = exchangeRefusals.find((one) => one.name === name);
  if (fault === undefined || fault.on?.test(fault.on.source.includes(' ') ? call : (call.split(' ')[0] ?? '')) === false) return undefined;
  const { status, error, text = '', retryAfter } = fault;
  const answer = error === undefined ? undefined : errorReply(status, error.code, error.exception, error.message);
  const headers = { ...answer?.headers, ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }) };
  return { status, headers, body: answer?.body ?? text };
}

function parse(text: string): z.core.util.SafeParseResult<z.infer<typeof bodySchema>> {
  try {
    return bodySchema.safeParse(JSON.parse(text));
  } catch {
    return bodySchema.safeParse(undefined);
  }
}
