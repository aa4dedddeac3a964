import { Exit } from '../../../core/errors.ts';
import { unsetVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { lookHere, type Where } from './network-words.ts';

/** A wrong password is 407 with most proxies, and 401 with tinyproxy. */
const wantsSignIn = ({ status }: { readonly status?: number | undefined }): boolean => status === 407 || status === 401;
const lacksBasic = ({ offers = [] }: { readonly offers?: readonly string[] | undefined }): boolean =>
  offers.length > 0 && !offers.includes('basic');

/** Proxies, as they refuse and as programs tell it. */
export const proxyEntries = {
  'proxy-refused': entry<
    Where & {
      proxy: string;
      status?: number | undefined;
      offers?: readonly string[] | undefined;
      given?: boolean | undefined;
      speaker?: string | undefined;
    }
  >({
    exit: Exit.failed,
    source: sources.proxy,
    says: [
      { words: '407 Proxy Authentication Required', means: { status: 407 } },
      { words: 'Proxy Authentication Required', means: { status: 407 } },
      { words: 'HTTP code 407 from proxy after CONNECT', means: { status: 407 } },
      { words: "proxy … failed with status code '407'", means: { status: 407 } },
      { words: 'proxy … 407', means: { status: 407 } },
      { words: 'ERR_PROXY_AUTH_REQUESTED', means: { status: 407 } },
      { words: 'tunneling socket could not be established … 407', means: { status: 407 } },
      { words: 'tunneling socket could not be established … 403', means: { status: 403 } },
      { words: 'TCP_DENIED/403', means: { status: 403 } },
      { words: 'TCP_DENIED/407', means: { status: 407 } },
      { words: 'CONNECT tunnel failed, response 407', means: { status: 407 } },
      { words: 'CONNECT tunnel failed, response 403', means: { status: 403 } },
      { words: 'The remote server returned an error: (407)', means: { status: 407 } },
      { words: 'Unable to tunnel through proxy … 407', means: { status: 407 } },
      { words: 'Unable to tunnel through proxy … 403', means: { status: 403 } },
      { words: 'proxyconnect tcp … 407', means: { status: 407 } },
      { words: 'Proxy-Authenticate:', means: { status: 407 } },
      { words: 'Tunnel connection failed: 403', means: { status: 403 } },
      { words: 'HTTP code 403 from proxy after CONNECT', means: { status: 403 } },
      { words: "proxy … failed with status code '403'", means: { status: 403 } },
      { words: '403 Forbidden … squid', means: { status: 403 } },
      { words: 'X-Squid-Error: ERR_ACCESS_DENIED', means: { status: 403 } },
      { words: '403 Forbidden … proxy', means: { status: 403 } },
    ],
    hints: [
      { words: 'from proxy after CONNECT', means: { status: 403 } },
      { words: 'ERR_TUNNEL_CONNECTION_FAILED', means: { status: 403 } },
      { words: 'Tunnel connection failed', means: { status: 403 } },
      { words: 'Cannot connect to proxy', means: { status: 502 } },
      { words: 'Unable to connect to proxy', means: { status: 502 } },
      { words: 'ERR_PROXY_CONNECTION_FAILED', means: { status: 502 } },
      { words: 'proxy tunnel request', means: { status: 403 } },
      { words: 'tunneling socket could not be established', means: { status: 502 } },
      { words: 'Unable to tunnel through proxy', means: { status: 502 } },
      { words: 'Proxy CONNECT aborted', means: { status: 502 } },
      { words: 'CONNECT tunnel failed', means: { status: 502 } },
      { words: 'proxyconnect tcp', means: { status: 502 } },
      { words: 'ProxyError', means: { status: 502 } },
    ],
    title: (v) => `The proxy ${v.proxy} does not let ${v.speaker ?? 'mailauth'} connect to ${v.host}:${v.port}`,
    why: (v) => {
      if (v.status === undefined) return 'Whatever answers there is not a proxy.';
      if (v.status === 502) return 'It does not answer, or cannot reach the host.';
      if (!wantsSignIn(v)) return `It answered ${v.status}: it does not allow this host or port (CONNECT).`;
      if (lacksBasic(v))
        return `It takes only ${v.offers?.join(' and ')} (${v.status}), which needs Windows or Kerberos; mailauth can send a name and a password only.`;
      return v.given === true
        ? `It does not accept the name and the password in HTTPS_PROXY (${v.status}).`
        : `It asks for a name and a password (${v.status}).`;
    },
    next: (v) => {
      if (!wantsSignIn(v)) return [lookHere, `Ask for CONNECT to ${v.host}:${v.port}, or name the host in NO_PROXY.`];
      if (lacksBasic(v))
        return [
          lookHere,
          'Let a helper on this computer sign in to the proxy, such as cntlm or px, and name its address in HTTPS_PROXY. Or ask for an exemption.',
        ];
      return [lookHere, 'Give them in HTTPS_PROXY, as http://name:password@host:port, with @ as %40 and / as %2F.'];
    },
  }),
  'proxy-broken': entry<{ why: string }>({
    exit: Exit.failed,
    source: sources.own,
    // A port is asked for as if it were a host.
    says: ['3128', '8080', '8888', '8118', '9090'].flatMap((port) =>
      [`ENOTFOUND ${port}`, `Could not resolve host: ${port}`, `Could not resolve proxy: ${port}`].map((words) => ({
        words,
        means: { why: `The variable names a proxy without http:// in front, so its port ${port} was taken for the name of a host.` },
      })),
    ),
    title: () => 'HTTPS_PROXY is not the address of a usable proxy',
    why: (v) => v.why,
    next: () => [
      unsetVariable('HTTPS_PROXY', 'HTTP_PROXY'),
      'Set HTTPS_PROXY to the whole address, with http:// before the name and the port behind it.',
    ],
    retryHelps: false,
  }),
};
