import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { ConnectDatabase } from './database-port.ts';
import type { Keychain } from './keychain-port.ts';
import type { Prompts } from './prompts-port.ts';
import type { Surroundings } from './shown.ts';

/**
 * Every effect mailauth has on the world, on one page. `system/` implements these ports for real,
 * tests hand in their own; nothing else in `src/` touches `process`, the clock, the disk or the network.
 */
export interface Context {
  readonly env: Env;
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  /** the user that the system lets this process act as; undefined on Windows, which has none */
  readonly uid?: number | undefined;
  /** what the next commands that it prints must carry */
  readonly surroundings: Surroundings;
  /** what this program runs on, for the doctor */
  readonly machine: Machine;
  /** stdout: results only */
  readonly out: Output;
  /** stderr: questions, progress, notes, warnings, errors */
  readonly err: Output;
  /** text of any length, piece by piece: logs */
  readonly longInput: LongInput;
  /** standard input, whole, for `--client-secret-file -`; at most 64 KiB */
  readonly readStdin: () => Promise<string>;
  /** the next line of a standard input that is no terminal (a pasted address piped in); undefined at its end */
  readonly readLine: (signal: AbortSignal) => Promise<string | undefined>;
  /** one line for the log that MAILAUTH_DEBUG=1 asks for; never a secret, never with a query string */
  readonly log: (line: string) => void;
  /** stdin and stderr are terminals: questions can be asked */
  readonly interactive: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly network: Network;
  readonly prompts: Prompts;
  readonly keys: Keys;
  readonly browser: Browser;
  /** shows a page that mailauth has written, by its absolute path; as `browser.open` */
  readonly openFile: (path: string) => Promise<BrowserOutcome>;
  readonly clipboard: Clipboard;
  readonly powershell: PowerShell;
  /**
   * Runs a line of the operator's in the shell of the system, with `input` on its standard input and none of mailauth's secrets. `code` is
   * undefined where it was killed after `timeoutMs`; `complaint` is the last of its standard error.
   */
  readonly shellCommand: (
    line: string,
    input: string,
    timeoutMs: number,
  ) => Promise<{ readonly code: number | undefined; readonly complaint: string }>;
  /** `systemctl --user ARGS`: its exit code; undefined where there is no such program */
  readonly systemctl: (args: readonly string[]) => Promise<number | undefined>;
  /** a program that comes with Windows: its exit code, undefined where there is no such program, and what it wrote to standard output */
  readonly windowsProgram: (
    name: 'icacls' | 'schtasks' | 'whoami',
    args: readonly string[],
  ) => Promise<{ readonly code: number | undefined; readonly text: string }>;
  readonly keychain: Keychain;
  readonly connectDatabase: ConnectDatabase;
  /** aborts with an `Interrupted` on Ctrl-C, on SIGTERM, and when the terminal is closed */
  readonly signal: AbortSignal;
}

export interface Machine {
  /** version of Node.js: `20.20.2` */
  readonly node: string;
  /** of the operating system */
  readonly release: string;
  readonly arch: string;
  /** the user's name and home folder, empty where they are not known: so that a report can leave them out */
  readonly user: string;
  readonly homeFolder: string;
  /** how this program is started again from anywhere: the path of Node.js and of the script */
  readonly program: readonly string[];
}

/** Text that may be longer than memory: read as UTF-8, or UTF-16 where a byte order mark says so. Failures are `NodeJS.ErrnoException`. */
export interface LongInput {
  /** standard input is a terminal, so reading from it waits for a person */
  readonly isTerminal: boolean;
  /** of a file (absolute path), or of standard input */
  pieces(file?: string): AsyncIterable<string>;
  /** of standard input, byte by byte as it came */
  bytes(): AsyncIterable<Uint8Array>;
}

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** columns, 80 when unknown */
  readonly columns: number;
}

export interface Clock {
  /** milliseconds since the epoch */
  now(): number;
  /** this computer's own time, where `now` is the time of a database that several machines share */
  own?(): number;
  /** milliseconds, monotonic */
  monotonic(): number;
  /** rejects with the signal's reason when it aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  bytes(count: number): Buffer;
  /** RFC 9562 version 4 */
  uuid(): string;
}

export interface GuardedFile {
  readonly bytes: Uint8Array;
  /** permission bits: `0o600`; mean nothing on Windows */
  readonly mode: number;
  /** for root, every file is `self` */
  readonly owner: 'self' | 'root' | 'other';
}

/** A file or folder as it stands: links are followed. */
export interface Held {
  /** permission bits with the sticky one: `0o600`, `0o1777`; mean nothing on Windows */
  readonly mode: number;
  readonly uid: number;
  /** where the path is a link: its owner, and the owner of the folder that the link stands in */
  readonly link?: { readonly uid: number; readonly folderUid: number };
}

/** All paths absolute. Directories are made 0700, files 0600. Failures are `NodeJS.ErrnoException`. */
export interface Files {
  /** undefined when the file does not exist */
  read(path: string): Promise<string | undefined>;
  /** with its owner and its mode; undefined when the file does not exist */
  readGuarded(path: string): Promise<GuardedFile | undefined>;
  /** temporary file, fsync, rename, fsync of the folder; makes the folder */
  writeAtomic(path: string, content: string | Uint8Array): Promise<void>;
  /** adds to the end of a file, which it makes where it is missing; on the disk when it comes back */
  append(path: string, content: string | Uint8Array): Promise<void>;
  /** makes a new file; false when it exists already */
  create(path: string, content: Uint8Array): Promise<boolean>;
  /** false when it did not exist */
  remove(path: string): Promise<boolean>;
  removeTree(path: string): Promise<void>;
  /** file names in a folder, sorted; empty when the folder does not exist */
  list(path: string): Promise<readonly string[]>;
  /** The same names, page by page, where that is quicker; with the content of those that come with it. Not sorted. */
  readFolder?(path: string): AsyncIterable<{ readonly name: string; readonly text: string | undefined }>;
  /** the files of this computer alone, where `read`, `list` and the others also know those of a database */
  readonly own?: Files;
  /** the name under which a database has this file; undefined: it is a file of this computer */
  documentOf?(path: string): Promise<string | undefined>;
  /** who can change a file or folder; undefined when it does not exist */
  held(path: string): Promise<Held | undefined>;
  /** lock across processes; waits up to `waitMs`, undefined when another process still holds it. A lock whose process died is taken over. */
  lock(path: string, waitMs: number): Promise<(() => Promise<void>) | undefined>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** lower-case names */
  readonly headers: Readonly<Record<string, string>>;
  /** at most 1 MiB, else the request fails */
  readonly text: string;
}

/** HTTP and raw sockets, both through HTTPS_PROXY and NO_PROXY. Failures are `MailauthError`s of the network catalogue. */
export interface Network {
  /** never follows redirects */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** addresses of a host, in resolver order */
  lookup(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** TCP, or CONNECT through the proxy */
  connect(host: string, port: number, signal: AbortSignal): Promise<Socket>;
  /** TLS 1.2 or newer with host name check on an open socket */
  secure(socket: Socket, host: string, signal: AbortSignal): Promise<TLSSocket>;
  /** TLS 1.2 or newer with the authorities that this network trusts, for libraries that make TLS themselves; made once, because reading all
   * roots takes 50 ms */
  secureContext(): SecureContext;
  /** `http://proxy:3128` for this host, or undefined */
  proxyFor(host: string, port: number): string | undefined;
  /** for servers of our own on this machine (the sandbox): also trusts this authority, and never goes through a proxy */
  trusting(ca: string): Network;
}

/** Single keys of the terminal, without Enter and without an echo, while something is waited for. */
export interface Keys {
  /**
   * Gives each key to `pressed`, until `stop`. Text that comes in one piece (a paste, an arrow key) is no key. `over` rejects with `Interrupted` at
   * Ctrl-C, at Ctrl-D and where the terminal is closed. What was typed and not used is dropped.
   */
  listen(pressed: (key: string) => void): { readonly over: Promise<never>; stop(): Promise<void> };
}

export type BrowserOutcome = { readonly kind: 'opened' } | { readonly kind: 'failed'; readonly why: string };

export interface Browser {
  /** false where no launcher can show a page to this person (no display, no BROWSER, SSH session) */
  readonly usable: boolean;
  /** nobody sees a page: the sandbox answers it by itself, and says so */
  readonly isStandIn?: boolean;
  /** http and https only; resolves after the launcher survived or failed its first two seconds */
  open(url: string): Promise<BrowserOutcome>;
}

export interface Clipboard {
  /** false where no program that fills it is found */
  readonly usable: boolean;
  /** an empty text clears it. False where the program failed */
  copy(text: string): Promise<boolean>;
}

/** PowerShell 7, where it is installed. */
export interface PowerShell {
  /** the path of `pwsh`; undefined: it is not in the PATH */
  readonly program: string | undefined;
  /** Runs a script that answers each line of its input with a line. It holds none of mailauth's secrets in its environment. */
  start(script: string): LineTalk;
}

/** A program that is asked line by line. */
export interface LineTalk {
  /** the next line that it writes; undefined when it has ended */
  read(): Promise<string | undefined>;
  write(line: string): void;
  /** closes its input, and waits a few seconds for its end */
  end(): Promise<void>;
  /** the last of what it wrote to standard error */
  readonly complaint: string;
}

/** The environment variables of this process. */
export type Env = Readonly<Record<string, string | undefined>>;
