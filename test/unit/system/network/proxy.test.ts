import { describe, expect, it } from 'vitest';
import { readProxy } from '../../../../src/system/network/proxy.ts';

const shown = (env: Record<string, string>, host = 'outlook.office365.com', port = 993) => readProxy(env)(host, port)?.shown;

describe('which proxy', () => {
  it.each([
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://b:2' }, 'http://a:1'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://c:3' }, 'http://c:3'],
    [{ HTTP_PROXY: 'http://b:2' }, 'http://b:2'],
    [{ HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
    [{ HTTPS_PROXY: 'https://user:secret@proxy' }, 'https://proxy'],
    [{ ALL_PROXY: 'http://d:4' }, 'http://d:4'],
    [{ ALL_PROXY: 'http://d:4', HTTP_PROXY: 'http://b:2' }, 'http://b:2'],
    [{ ALL_PROXY: 'socks5h://d:4' }, undefined],
  ])('%j', (env, proxy) => {
    expect(shown(env as Record<string, string>)).toBe(proxy);
  });

  it.each(['socks5://proxy:1080', 'http://', 'http://a:99999'])('refuses %s', (HTTPS_PROXY) => {
    expect(() => shown({ HTTPS_PROXY })).toThrow(expect.objectContaining({ code: 'proxy-broken', exit: 1 }));
  });

  it.each(['http://ada:p@ss/w0rd@proxy:3128', 'http://ada:p/w0rd@proxy:3128', 'http://ada:p#w0rd@proxy:3128', 'ada:p@w0rd@proxy:1'])(
    'says how to write a password with signs in it, and repeats nothing: %s',
    (HTTPS_PROXY) => {
      const refused = expect.objectContaining({ code: 'proxy-broken', why: expect.not.stringContaining('w0rd') });
      expect(() => shown({ HTTPS_PROXY })).toThrow(refused);
    },
  );

  it.each([
    ['*', 'any.example', 993, true],
    ['example.com', 'example.com', 993, true],
    ['example.com', 'imap.example.com', 993, true],
    ['example.com', 'notexample.com', 993, false],
    ['.example.com', 'imap.EXAMPLE.com', 993, true],
    ['*.example.com', 'imap.example.com.', 993, true],
    ['a.example, example.com:993', 'example.com', 993, true],
    ['example.com:993', 'example.com', 587, false],
    ['127.0.0.1', '127.0.0.1', 80, true],
    ['0.0.1', '127.0.0.1', 80, false],
    ['::1', '::1', 80, true],
    ['[::1]:443', '::1', 443, true],
    ['[::1]:443', '::1', 80, false],
    ['10.0.0.0/8', '10.1.2.3', 80, true],
    ['10.0.0.0/8', '11.1.2.3', 80, false],
    ['10.0.0.0/99', '10.1.2.3', 80, false],
    ['10.0.0.0/8', 'ten.example', 80, false],
    ['', 'localhost', 80, false],
  ])('NO_PROXY=%s %s:%d → %s', (NO_PROXY, host, port, exempt) => {
    expect(shown({ HTTPS_PROXY: 'http://p:1', NO_PROXY }, host, port) === undefined).toBe(exempt);
  });
});
