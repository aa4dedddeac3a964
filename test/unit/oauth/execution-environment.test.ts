import { describe, expect, it } from 'vitest';
import { executionEnvironment, sshForward } from '../../../src/oauth/execution-environment.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';

const place = (env: Record<string, string> = {}, disk: Record<string, string> = {}, platform: NodeJS.Platform = 'linux') =>
  executionEnvironment({ env, platform, files: { ...systemFiles, read: async (path) => disk[path] } });

describe('which kind of machine', () => {
  it('an ordinary one', async () => {
    expect(await place({}, { '/proc/version': 'Linux version 6.1.0 (debian-kernel@lists.debian.org)' })).toEqual({
      wsl: false,
      container: false,
      codespaces: false,
    });
  });

  it.each([
    ['address and user', { SSH_CONNECTION: '198.51.100.7 50022 192.0.2.10 22', USER: 'ada' }, 'ada@192.0.2.10'],
    ['another port', { SSH_CONNECTION: '198.51.100.7 50022 192.0.2.10 2222', LOGNAME: 'ada' }, '-p 2222 ada@192.0.2.10'],
    ['IPv6', { SSH_CONNECTION: '2001:db8::7 50022 2001:db8::1 22', USER: 'ada' }, 'ada@2001:db8::1'],
    ['only a terminal', { SSH_TTY: '/dev/pts/0' }, 'USER@HOST'],
    ['odd values, which must not end the command', { SSH_CONNECTION: 'a b $(id) ;', USER: 'ada;id' }, 'USER@HOST'],
  ])('over SSH: %s', async (_, env, ssh) => {
    expect((await place(env)).ssh).toBe(ssh);
  });

  it('WSL by its variable or its kernel, and on Linux only', async () => {
    expect((await place({ WSL_DISTRO_NAME: 'Ubuntu' })).wsl).toBe(true);
    expect((await place({}, { '/proc/version': 'Linux version 5.15.167.4-microsoft-standard-WSL2' })).wsl).toBe(true);
    expect((await place({ WSL_DISTRO_NAME: 'Ubuntu' }, {}, 'win32')).wsl).toBe(false);
  });

  it('containers and Codespaces', async () => {
    expect((await place({}, { '/.dockerenv': '' })).container).toBe(true);
    expect((await place({}, { '/run/.containerenv': '' })).container).toBe(true);
    expect((await place({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })).container).toBe(true);
    expect((await place({ CODESPACES: 'true' })).codespaces).toBe(true);
    expect((await place({ CODESPACES: 'false' })).codespaces).toBe(false);
  });
});

it('the line for the other computer', () => {
  expect(sshForward('ada@192.0.2.10', '41023')).toBe('ssh -L 41023:localhost:41023 ada@192.0.2.10');
});
