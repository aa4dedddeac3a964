import { Exit } from '../../../core/errors.ts';
import { again, type Command, led, mailauth, noted, plus } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** Only setup and login take the flag. The other commands take a pasted address without it, in a terminal. */
const pasting = (again: Command): Command =>
  again.name === 'setup' || again.name === 'login'
    ? plus(again, { signIn: 'paste' })
    : noted(again, 'in a terminal it takes a pasted address, too');

export const signInEntries = {
  'redirect-elsewhere': entry<{ again: Command }>({
    exit: Exit.needsSignIn,
    source: sources.loopback,
    says: [
      'localhost refused to connect',
      'localhost refused to connect … ERR_CONNECTION_REFUSED',
      'can’t connect to the server “localhost”',
      'ERR_CONNECTION_REFUSED … http://localhost',
      'http://localhost … ERR_CONNECTION_REFUSED',
      'Unable to connect … http://localhost',
      'Firefox can’t establish a connection to the server at localhost',
      "can't establish a connection to the server at localhost",
      'ERR_CONNECTION_REFUSED … http://127.0.0.1',
      'can’t establish a connection to the server at 127.0.0.1',
    ],
    title: () => 'The sign-in is done, but its answer did not reach the program that waits for it',
    why: () => 'The browser is on another computer than that program (SSH, WSL, a container), or the program no longer waits.',
    next: ({ again }) => [
      pasting(again),
      'Then paste the whole address that the browser shows now, with everything behind ?code=, into the terminal.',
    ],
  }),
  'loopback-port-taken': entry<{ port: number; again: Command }>({
    exit: Exit.failed,
    source: sources.loopback,
    codes: ['EADDRINUSE', 'WSAEADDRINUSE'],
    says: ['Address already in use', 'Only one usage of each socket address', 'bind … in use'],
    title: ({ port }) => `Port ${port} on this computer is in use by another program`,
    why: () => 'The registration allows exactly this port for the redirect from Microsoft.',
    next: ({ port, again }) => [
      pasting(again),
      `Find and end the program that holds it (lsof -nP -iTCP:${port} -sTCP:LISTEN), then run the same command again.`,
    ],
  }),

  'loopback-https': entry<{ again: Command }>({
    exit: Exit.needsSignIn,
    source: sources.loopback,
    codes: ['SSL_ERROR_RX_RECORD_TOO_LONG', 'ERR_SSL_PROTOCOL_ERROR', 'SEC_E_INVALID_TOKEN'],
    says: [
      'HTTPS-Only Mode Alert',
      'HTTPS version of localhost is not available',
      'HTTPS-Only Mode',
      'HTTPS-First … localhost',
      "connection to localhost isn't secure",
      'connection to localhost is not secure',
    ],
    title: () => 'The browser insists on https, and this computer answers the sign-in with http',
    why: () =>
      'A browser in https-only mode turns http://localhost into https. Nothing listens for https there, and nothing secret is lost.',
    next: ({ again }) => [
      pasting(again),
      'Allow http for localhost in the settings of the browser, then run the same command again.',
      'A mail program that says this uses SSL/TLS on a port that begins without it, such as 143 or 587: choose STARTTLS there.',
    ],
  }),

  'loopback-refused': entry<{ reason: string; again: Command }>({
    exit: Exit.failed,
    source: sources.loopback,
    says: [
      'listen EADDRNOTAVAIL',
      'listen EACCES',
      'listen EPERM',
      'bind: Cannot assign requested address',
      'bind: Permission denied',
      'listen EAFNOSUPPORT',
    ],
    title: () => 'This computer does not let a program wait for the browser on its own address (127.0.0.1, ::1)',
    why: ({ reason }) => `The system refused to listen there (${reason}); a sandbox, container or security product may forbid it.`,
    next: ({ again }) => [pasting(again)],
  }),

  'loopback-redirect-unusable': entry<{ redirectUri: string }>({
    exit: Exit.usage,
    source: sources.loopback,
    title: ({ redirectUri }) => `The redirect URI ${redirectUri} does not lead back to this computer`,
    why: () => 'Only http://localhost, with or without a port and a path, can be caught here.',
    next: () => [
      mailauth('setup', { redirectUri: 'http://localhost' }),
      'Leave the sign-in to the product that owns this address: --sign-in skip.',
    ],
    retryHelps: false,
  }),

  'consent-other-tenant': entry<{ tenantId: string; wanted: string; again: Command }>({
    exit: Exit.failed,
    source: sources.consent,
    title: ({ tenantId }) => `The consent was given in another tenant: ${tenantId}`,
    why: ({ wanted }) => `It does not count for ${wanted}. An administrator of that other tenant can withdraw it (Enterprise apps).`,
    next: ({ again }) => [again, 'Choose the account of an administrator of the right tenant on that page.'],
  }),

  'paste-ended': entry<{ again: Command }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'An answer is needed: the address that the browser ended on',
    why: () => 'Standard input has ended, and this redirect URI does not lead to this computer.',
    next: ({ again }) => [noted(plus(again, { signIn: 'paste' }), 'in a terminal, or with the address on standard input')],
  }),
  'paste-not-asked': entry({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'An answer is needed: the address that the browser ends on',
    why: () => '--sign-in paste takes it from a person or a pipe, and --no-input, --json or --yes forbid that here. Nothing was changed.',
    next: () => [
      noted(again({ noInput: false, json: false, yes: false }), 'on a terminal, asks for it'),
      noted(again({ signIn: 'device' }), 'needs no address: a code that is typed anywhere'),
      noted(again({ signIn: 'browser' }), 'where a browser on this computer signs in'),
    ],
  }),
  'sign-in-timeout': entry<{ seconds: number; again: Command }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: ({ seconds }) => `Nobody finished the sign-in within ${seconds} seconds`,
    why: () => 'The browser never came back: its tab was closed, or it runs on another computer.',
    next: ({ again }) => [plus(again, { timeout: 1800 }), led('If the browser is on another computer', pasting(again))],
  }),
};
