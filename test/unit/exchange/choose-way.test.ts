import { describe, expect, it } from 'vitest';
import type { LineTalk, PowerShell } from '../../../src/core/context.ts';
import type { Prompts } from '../../../src/core/prompts-port.ts';
import { chooseWay } from '../../../src/exchange/choose-way.ts';
import { testContext } from '../../support/context.ts';

/** PowerShell with or without Microsoft's module. */
function powershell(hasModule: boolean): PowerShell {
  const talk: LineTalk = {
    read: async () => (hasModule ? '{"kind":"ok","objects":[]}' : undefined),
    write: () => undefined,
    end: async () => undefined,
    complaint: '',
  };
  return { program: '/usr/bin/pwsh', start: () => talk };
}

const none: PowerShell = { program: undefined, start: () => expect.unreachable() };
const notes: string[] = [];
const note = (text: string) => void notes.push(text);

async function chosen(shell: PowerShell, canAsk: boolean, { isSandbox = false, token = '' } = {}) {
  const base = testContext();
  const prompts: Prompts = { ...base.prompts, select: async ({ choices }) => choices[0]?.value ?? expect.unreachable() };
  const ctx = testContext({ powershell: shell, env: { MAILAUTH_EXCHANGE_TOKEN: token }, prompts });
  return chooseWay({ ctx, canAsk, report: Object.assign(Object.create(null), { note }) }, { isSandbox });
}

describe('the way to Exchange where none was named', () => {
  it.each([
    ['module, a person', powershell(true), true, {}, 'pwsh'],
    ['module, nobody', powershell(true), false, {}, 'pwsh'],
    ['PowerShell without the module, a person', powershell(false), true, {}, 'api'],
    ['PowerShell without the module, nobody', powershell(false), false, {}, 'print'],
    ['no PowerShell, a person', none, true, {}, 'api'],
    ['no PowerShell, nobody', none, false, {}, 'print'],
    ['a token, nobody', powershell(true), false, { token: 'eyJ' }, 'api'],
    ['the sandbox, which the module does not know, nobody', powershell(true), false, { isSandbox: true }, 'print'],
  ] as const)('%s', async (_, shell, canAsk, more, way) => expect(await chosen(shell, canAsk, more)).toBe(way));
});
