import { describe, expect, it } from 'vitest';
import { shellNamed, shellOf } from '../../../src/core/shell/shell-in-use.ts';

const machine = 'C:\\Program Files\\WindowsPowerShell\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules';
const windowsPowerShell = `C:\\Users\\ada\\Documents\\WindowsPowerShell\\Modules;${machine}`;
const pwsh = `C:\\Users\\ada\\OneDrive\\Dokumente\\PowerShell\\Modules;C:\\Program Files\\PowerShell\\Modules;c:\\program files\\powershell\\7\\Modules;${machine}`;
const ofServer = `\\\\files\\home\\ada\\WindowsPowerShell\\Modules;${machine}`;
const prompt = { PROMPT: '$P$G' };

describe('the shell in use', () => {
  it.each([
    ['linux', {}, undefined, 'posix'],
    ['darwin', {}, undefined, 'posix'],
    ['win32', {}, undefined, 'powershell'],
    ['win32', { MSYSTEM: 'MINGW64' }, undefined, 'posix'],
    ['win32', prompt, undefined, 'cmd'],
    ['win32', { ...prompt, PSModulePath: machine }, undefined, 'cmd'],
    ['win32', { PSModulePath: windowsPowerShell }, undefined, 'powershell'],
    // npm's mailauth.cmd, called by a PowerShell
    ['win32', { ...prompt, PSModulePath: windowsPowerShell }, undefined, 'powershell'],
    ['win32', { ...prompt, PSModulePath: pwsh }, undefined, 'powershell'],
    ['win32', { ...prompt, PSModulePath: ofServer }, undefined, 'powershell'],
    ['win32', { ...prompt, MSYSTEM: 'MINGW64' }, undefined, 'posix'],
    ['linux', { PSModulePath: '/root/.local/share/powershell/Modules' }, 'pwsh', 'powershell'],
    ['linux', { PSModulePath: '/root/.local/share/powershell/Modules' }, 'bash', 'posix'],
    ['linux', {}, 'pwsh', 'posix'],
    ['win32', { ...prompt, MAILAUTH_SHELL: 'powershell' }, undefined, 'powershell'],
    ['win32', { PSModulePath: pwsh, MAILAUTH_SHELL: 'cmd' }, undefined, 'cmd'],
    ['linux', { MAILAUTH_SHELL: 'pwsh' }, undefined, 'powershell'],
    ['linux', { MAILAUTH_SHELL: 'cmd' }, undefined, 'cmd'],
    ['win32', { MAILAUTH_SHELL: 'posix' }, undefined, 'posix'],
  ] as const)('on %s with %o below %s is %s', (platform, env, ancestor, shell) => expect(shellOf({ platform, env, ancestor })).toBe(shell));

  it.each([
    ['pwsh.exe', 'powershell'],
    ['C:\\Windows\\System32\\cmd.exe', 'cmd'],
    ['/usr/bin/fish', 'posix'],
    ['PowerShell', 'powershell'],
    ['tcsh', undefined],
    ['constructor', undefined],
    ['', undefined],
  ])('%s is %s', (name, shell) => expect(shellNamed(name)).toBe(shell));
});
