import type { CommandName } from '../core/command-name.ts';
import type { CommandModule } from '../session/command.ts';

/** Which file a command is in. It is evaluated only when the command is called. */
export const modules: Readonly<Record<CommandName, () => Promise<CommandModule>>> = {
  setup: async () => (await import('../commands/setup/setup.ts')).setup,
  login: async () => (await import('../commands/login/login.ts')).login,
  logout: async () => (await import('../commands/logout/logout.ts')).logout,
  'token get': async () => (await import('../commands/token/token-get.ts')).tokenGet,
  'token show': async () => (await import('../commands/token/token-show.ts')).tokenShow,
  status: async () => (await import('../commands/status/status.ts')).status,
  explain: async () => (await import('../commands/explain.ts')).explain,
  doctor: async () => (await import('../commands/doctor.ts')).doctor,
  test: async () => (await import('../commands/test/test.ts')).test,
  guide: async () => (await import('../commands/guide/guide.ts')).guide,
  'secret show': async () => (await import('../commands/secret/secret-show.ts')).secretShow,
  'secret rotate': async () => (await import('../commands/secret/secret-rotate.ts')).secretRotate,
  'store move': async () => (await import('../commands/store/store-move.ts')).storeMove,
  'store init': async () => (await import('../commands/store/store-init.ts')).storeInit,
  'store restore': async () => (await import('../commands/store/store-restore.ts')).storeRestore,
  'store keygen': async () => (await import('../commands/store/store-keygen.ts')).storeKeygen,
  keepalive: async () => (await import('../commands/keepalive/keepalive.ts')).keepalive,
  agent: async () => (await import('../commands/agent.ts')).agent,
  'exchange show': async () => (await import('../commands/exchange/exchange-show.ts')).exchangeShow,
  'exchange apply': async () => (await import('../commands/exchange/exchange-apply.ts')).exchangeApply,
  'exchange undo': async () => (await import('../commands/exchange/exchange-undo.ts')).exchangeUndo,
  send: async () => (await import('../commands/send/send.ts')).send,
  export: async () => (await import('../commands/export.ts')).exportConfig,
  completion: async () => (await import('./completion.ts')).completionOf(modules),
  sandbox: async () => (await import('../commands/sandbox.ts')).sandbox,
};
