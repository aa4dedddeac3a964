import { readAddresses } from '../../message/addresses.ts';
import { readMessage, valuesOf } from '../../message/message.ts';
import { graphSendRefusals } from '../faults/faults-send.ts';
import type { SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { findUser } from '../tenant/directory.ts';
import { mayUse } from '../tenant/exchange.ts';
import { type Caller, type GraphAnswer, graphError } from './graph-call.ts';

const accessDenied = () => graphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');

/** `POST /me/sendMail` and `POST /users/{address}/sendMail`; the mailbox that it names, or undefined for every other call. */
export function mailboxToSendFrom({ method, path }: SandboxRequest, caller: Caller): string | undefined {
  const [, mine, user = ''] = /^\/graph\/v1\.0\/(?:(me)|users\/([^/]+))\/sendMail$/i.exec(path) ?? [];
  if (method !== 'POST' || (mine === undefined && user === '')) return undefined;
  return mine === undefined ? decodeURIComponent(user).toLowerCase() : caller.address;
}

/** A message in MIME, Base64 in a body of plain text (learn.microsoft.com/graph/api/user-sendmail, "send MIME content"). Kept, and delivered to nobody. */
export async function sendMail(service: Service, request: SandboxRequest, caller: Caller, mailbox: string): Promise<GraphAnswer> {
  const fault = graphSendRefusals.find((one) => one.name === service.fault);
  if (fault !== undefined) {
    const { status, code, message } = fault;
    return {
      ...graphError(status, code, message),
      ...('retryAfter' in fault ? { headers: { 'retry-after': String(fault.retryAfter) } } : {}),
    };
  }
  const isOwn = mailbox === caller.address;
  if (!caller.scopes.has(isOwn ? 'Mail.Send' : 'Mail.Send.Shared')) return accessDenied();
  if (!['user', 'disabled'].includes(findUser(mailbox).kind)) {
    return graphError(404, 'ErrorInvalidUser', `The requested user '${mailbox}' is invalid.`);
  }
  const state = await service.state.read();
  if (!mayUse(state, service.fault, caller.address, mailbox, 'SendAs')) return accessDenied();
  if (request.headers['content-type']?.startsWith('text/plain') !== true) {
    return graphError(400, 'RequestBodyRead', 'The sandbox takes messages in MIME only.');
  }
  if (!/^[A-Za-z0-9+/\r\n]+={0,2}\s*$/.test(request.body)) {
    return graphError(400, 'ErrorMimeContentInvalidBase64String', 'Invalid base64 string for MIME content.');
  }
  const bytes = Buffer.from(request.body, 'base64');
  const message = readMessage(bytes);
  const addresses = (...names: readonly string[]) => valuesOf(message, ...names).flatMap((value) => readAddresses(value).addresses);
  const [from = mailbox] = addresses('from');
  if (!mayUse(state, service.fault, mailbox, from, 'SendAs')) {
    return graphError(
      403,
      'ErrorSendAsDenied',
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.',
    );
  }
  const recipients = addresses('to', 'cc', 'bcc');
  if (recipients.length === 0) return graphError(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
  await service.outbox.keep({ via: 'graph', user: caller.address, sender: mailbox, recipients, bytes });
  return { status: 202 };
}
