/** A registered redirect URI that leads to this computer, taken apart. */
export interface LoopbackRedirect {
  readonly host: 'localhost' | '127.0.0.1';
  /** undefined: any free port, since Entra ignores the port of localhost (RFC 8252 section 7.3) */
  readonly port: number | undefined;
  /** as registered, '' when it has none: Entra compares it letter by letter, and answers on '/' */
  readonly path: string;
}

/**
 * Reads `http://localhost[:PORT][/PATH]`, also with 127.0.0.1; undefined for every other address (https, another
 * host, a query, `[::1]`, which Entra does not accept).
 */
export function readLoopbackRedirect(redirectUri: string): LoopbackRedirect | undefined {
  const match = /^http:\/\/(localhost|127\.0\.0\.1)(?::(\d{1,5}))?(\/[^?#\s]*)?$/i.exec(redirectUri);
  if (match === null) return undefined;
  const [, host = '', digits, path = ''] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host: host === '127.0.0.1' ? '127.0.0.1' : 'localhost', port, path };
}
