/**
 * The paths of the Unix sockets in a D-Bus address list, in order (D-Bus Specification, "Server Addresses"). An abstract name begins with
 * NUL. Addresses of other transports are left out.
 */
export function socketPaths(addresses: string, runtimeDir: string | undefined): readonly string[] {
  return addresses.split(';').flatMap((address) => {
    const [transport, rest] = cut(address, ':');
    if (transport !== 'unix' || rest === undefined) return [];
    const path = rest.split(',').map((pair) => socketPath(pair, runtimeDir));
    return path.find((found) => found !== undefined) ?? [];
  });
}

function socketPath(pair: string, runtimeDir: string | undefined): string | undefined {
  const [key, escaped] = cut(pair, '=');
  const value = unescaped(escaped ?? '');
  if (!value) return undefined;
  if (key === 'path') return value.includes('\0') ? undefined : value;
  if (key === 'abstract') return `\0${value}`;
  if (key === 'runtime' && value === 'yes' && runtimeDir) return `${runtimeDir}/bus`;
  return undefined;
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/** Decodes `%XX` to bytes; undefined when an escape is broken. */
function unescaped(value: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(value)) return undefined;
  const bytes = value.replace(/%([0-9a-fA-F]{2})|[^%]+/g, (text, hex: string | undefined) => hex ?? Buffer.from(text).toString('hex'));
  return Buffer.from(bytes, 'hex').toString('utf8');
}
