import { Exit } from '../../../core/errors.ts';
import { again, type Line, led, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { byShell, unsetVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

const setClock: Readonly<Record<string, Line>> = {
  darwin: line`sudo sntp -sS time.apple.com`,
  win32: noted(line`w32tm /resync`, 'in a window of an administrator'),
};

/** What only `mailauth doctor` finds; the other checks speak with the entries of what they check. */
export const doctorEntries = {
  'doctor-failed': entry<{ titles: readonly string[]; all: number; fix: NextStep }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ titles, all }) => `${titles.length} of ${all} checks failed: ${titles.join(', ')}`,
    next: ({ fix }) => [fix, led('For a ticket, without secrets and addresses', mailauth('doctor', { report: 'doctor.md' }))],
  }),

  'doctor-check-late': entry<{ what: string; seconds: number }>({
    exit: Exit.temporary,
    source: sources.own,
    title: ({ seconds }) => `No result within ${seconds} seconds`,
    why: ({ what }) => `The check "${what}" was stopped.`,
    next: () => [noted(again({ timeout: 60 }), 'with more time')],
  }),

  'doctor-report-exists': entry<{ file: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: ({ file }) => `${file} exists already, and it is not a report of mailauth`,
    why: () => 'It was left untouched, and nothing was checked.',
    next: ({ file }) => [noted(mailauth('doctor', { report: file, yes: true }), 'writes over it'), 'Give another file to --report.'],
    retryHelps: false,
  }),

  'doctor-report-failed': entry<{ file: string; why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `The report could not be written to ${file}`,
    why: ({ why }) => why,
    next: () => [noted(mailauth('doctor', { report: 'doctor.md' }), 'in a folder that this user can write to')],
  }),

  'node-too-old': entry<{ node: string; oldest: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ node, oldest }) => `Node.js ${node} is too old: mailauth needs ${oldest} or newer`,
    next: () => ['Install the current LTS from https://nodejs.org and run mailauth again.'],
    retryHelps: false,
  }),

  'address-space-limited': entry<{ limitMb?: number | undefined }>({
    exit: Exit.failed,
    source: 'measured with Node.js 20, 22, 24 and 26',
    title: (v) => `This process may use too little address space${v.limitMb === undefined ? '' : `: ${v.limitMb} MB`}`,
    why: () =>
      'Node.js reserves 1.2 GB of it, from version 24 on 1.7 GB, and uses a tenth. With less it mostly dies without a word, with exit 133 or 134.',
    next: () => [
      noted(line`ulimit -v unlimited`, 'where this shell may lift it'),
      'In a unit of systemd remove LimitAS= (MemoryMax= is no such limit); in Dovecot set vsz_limit = 2G in the block of that service.',
    ],
    retryHelps: false,
    says: ['Cannot allocate Wasm memory', 'Failed to reserve virtual memory for CodeRange', 'Fatal process OOM in'],
  }),
  'node-tells-secrets': entry<{ name: string; option: string; how: string }>({
    exit: Exit.failed,
    source: 'https://nodejs.org/api/cli.html',
    title: ({ name, option }) => `${name} has ${option}, which lets others read what mailauth sends`,
    why: ({ how }) => `With it, ${how}.`,
    next: ({ name }) => [noted(unsetVariable(name), 'or leave that part of it out')],
    retryHelps: false,
  }),

  'browser-missing': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'No browser can be opened here',
    why: () => 'The display, the launcher or the BROWSER variable is missing. Over SSH and in CI that is normal.',
    next: () => [noted(mailauth('setup', { signIn: 'paste' }), 'signs in with a browser on another computer')],
  }),

  'home-open': entry<{ path: string; home: string; mode: string; change: boolean; more: number }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ path, mode, change }) => `Other users of this computer can ${change ? 'change' : 'read'} ${path} (mode ${mode})`,
    why: ({ change, more }) => {
      const others = more === 0 ? '' : ` The same is true of ${more} more.`;
      return `${change ? 'Whoever changes it decides where your tokens are sent.' : 'It holds no secret, but it names your mailboxes and tenants.'}${others}`;
    },
    next: ({ home }) => [line`chmod -R go-rwx ${home}`],
  }),

  'loopback-no-answer': entry<{ address: string; why: string }>({
    exit: Exit.failed,
    source: sources.loopback,
    title: ({ address }) => `mailauth listens on this computer, but cannot be reached at ${address}`,
    why: ({ why, address }) =>
      `${why} ${address === 'localhost' ? 'Is localhost in the hosts file?' : 'A firewall or security program between programs of one computer?'}`,
    next: () => [
      noted(mailauth('setup', { signIn: 'paste' }), 'signs in without it'),
      'Allow programs of this computer to talk to each other on 127.0.0.1, and see that the hosts file has "127.0.0.1 localhost".',
    ],
  }),

  'extra-authorities-broken': entry<{ file: string; why: string }>({
    exit: Exit.failed,
    source: 'https://nodejs.org/api/cli.html#node_extra_ca_certsfile',
    title: ({ file }) => `NODE_EXTRA_CA_CERTS names ${file}, which cannot be used`,
    why: ({ why }) => `${why} Node.js ignores it.`,
    next: () => [unsetVariable('NODE_EXTRA_CA_CERTS'), 'Set NODE_EXTRA_CA_CERTS to the path of a file with the authority in PEM form.'],
    retryHelps: false,
  }),

  'certificates-unchecked': entry({
    exit: Exit.failed,
    source: 'https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue',
    title: () => 'NODE_TLS_REJECT_UNAUTHORIZED=0 switches the check of certificates off',
    why: () => 'With it, programs that run on Node.js give their secrets to any server that answers.',
    next: () => [unsetVariable('NODE_TLS_REJECT_UNAUTHORIZED')],
  }),

  'variable-unknown': entry<{ name: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ name }) => `${name} is set, but mailauth does not know this variable`,
    why: () => 'If the name is misspelled, the variable that was meant has no effect.',
    next: () => [mailauth('help', 'environment')],
  }),

  'tls-inspected': entry<{ host: string; issuer: string }>({
    exit: Exit.failed,
    source: sources.certificates,
    title: ({ host, issuer }) => `The certificate of ${host} comes from "${issuer}", not from a public authority`,
    why: () => 'A proxy between here and Microsoft opens the connection and can read the tokens in it. It is trusted here.',
    next: ({ host }) => [noted(mailauth('doctor', { verbose: true }), `once ${host} is excepted from TLS inspection`)],
  }),

  'clock-wrong': entry<{ off: string; ahead: boolean; times: string; platform: string }>({
    exit: Exit.failed,
    source: 'RFC 9110 section 6.6.1 (Date)',
    title: ({ off, ahead }) => `This computer's clock is ${off} ${ahead ? 'ahead' : 'behind'}`,
    why: ({ times }) => `It is ${times}. Beyond five minutes fresh tokens look expired or not valid yet.`,
    next: ({ platform }) => [setClock[platform] ?? line`sudo timedatectl set-ntp true`],
  }),

  'clock-unknown': entry<{ host: string; why: string }>({
    exit: Exit.temporary,
    source: 'RFC 9110 section 6.6.1 (Date)',
    title: ({ host }) => `The clock could not be compared with ${host}`,
    why: ({ why }) => why,
    next: () => [
      noted(
        byShell({ posix: line`date -u`, powershell: line`(Get-Date).ToUniversalTime()`, cmd: line`w32tm /query /status` }),
        'compare it with a clock that you trust',
      ),
    ],
  }),
};
