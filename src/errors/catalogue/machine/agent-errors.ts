import { Exit } from '../../../core/errors.ts';
import { led, line, mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** What is wrong when `mailauth agent` starts, and with a request that no `token get` could make. */
export const agentEntries = {
  'agent-running': entry<{ socket: string; otherSocket: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ socket }) => `An agent listens on ${socket} already`,
    why: () => 'It serves every program of this user, so a second one is not needed.',
    next: ({ socket, otherSocket }) => [
      noted(line`curl --unix-socket ${socket} http://mailauth/status`, 'asks it how everything stands'),
      led('A second one, for another MAILAUTH_HOME', mailauth('agent', { socket: otherSocket })),
    ],
    retryHelps: false,
  }),

  'agent-folder-open': entry<{ folder: string; mode: string; isOwn: boolean; otherSocket: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: ({ folder, isOwn }) =>
      isOwn ? `Other users of this computer can reach ${folder}` : `${folder} does not belong to the user who runs mailauth`,
    why: ({ mode }) => `Its mode is ${mode}. Whoever reaches the socket in it gets your tokens, so the agent was not started.`,
    next: ({ otherSocket }) => [noted(mailauth('agent', { socket: otherSocket }), 'makes a folder of its own')],
    retryHelps: false,
  }),

  'agent-socket-unusable': entry<{ socket: string; why: string }>({
    exit: Exit.usage,
    source: 'unix(7); sd_listen_fds(3)',
    title: ({ socket }) => `The agent cannot listen on ${socket}`,
    why: ({ why }) => why,
    next: () => [
      noted(mailauth('agent', { socket: '/tmp/mailauth-agent/agent.sock' }), 'a short path, in a folder that nobody else can reach'),
    ],
    retryHelps: false,
  }),

  'agent-windows': entry<object>({
    exit: Exit.usage,
    source: 'https://learn.microsoft.com/windows/win32/ipc/named-pipe-security-and-access-rights',
    title: () => 'mailauth agent does not run on Windows',
    why: () => 'A pipe of Windows can be read by other users unless its rights are set, which Node.js cannot do.',
    next: () => [noted(mailauth('token get'), 'prints a token; it reads the store each time')],
    retryHelps: false,
  }),

  'agent-path': entry<{ path: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: ({ path }) => `The agent has nothing at ${path}`,
    why: () => 'It answers /token/MAILBOX and /status.',
    next: () => [mailauth('agent', { help: true })],
    retryHelps: false,
  }),

  'agent-method': entry<{ method: string }>({
    exit: Exit.usage,
    source: 'RFC 9110, section 15.5.6',
    title: ({ method }) => `The agent takes GET, not ${method}`,
    next: () => [mailauth('agent', { help: true })],
    retryHelps: false,
  }),

  'agent-query': entry<{ name: string; known: readonly string[] }>({
    exit: Exit.usage,
    source: sources.own,
    title: ({ name }) => `The agent cannot use the parameter ${name} of this request`,
    why: ({ known }) => (known.length === 0 ? 'This path takes no parameters.' : `Each of these may be given once: ${known.join(', ')}.`),
    next: () => [mailauth('agent', { help: true })],
    retryHelps: false,
  }),

  'other-home': entry<object>({
    exit: Exit.usage,
    source: sources.own,
    title: () => 'This agent serves another MAILAUTH_HOME than the one that the program was configured for',
    why: () => 'The configuration names the home that it was made from (X-Mailauth-Home), and the agent runs with another one.',
    next: () => [
      noted(mailauth('status'), 'in the shell of the agent: which mailboxes it has'),
      led('A new configuration', mailauth('export', 'curl', { agent: true })),
    ],
    retryHelps: false,
  }),
} as const;
