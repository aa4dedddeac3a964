import type { CommandName } from '../cli.ts';
import type { CommandModule } from './command.ts';

/** Which file a command is in. It is evaluated only when the command is called. */
export const modules: Readonly<Record<CommandName, () => Promise<CommandModule>>> = {
  setup: async () => (await import('./setup.ts')).setup,
  login: async () => (await import('./login.ts')).login,
  logout: async () => (await import('./logout.ts')).logout,
  'token get': async () => (await import('./token-get.ts')).tokenGet,
  'token show': async () => (await import('./token-show.ts')).tokenShow,
  status: async () => (await import('./status.ts')).status,
  explain: async () => (await import('./explain.ts')).explain,
  doctor: async () => (await import('./doctor.ts')).doctor,
  test: async () => (await import('./test.ts')).test,
  guide: async () => (await import('./guide.ts')).guide,
  'secret show': async () => (await import('./secret-show.ts')).secretShow,
  'secret rotate': async () => (await import('./secret-rotate.ts')).secretRotate,
  'store move': async () => (await import('./store-move.ts')).storeMove,
  'store restore': async () => (await import('./store-restore.ts')).storeRestore,
  'store keygen': async () => (await import('./store-keygen.ts')).storeKeygen,
  keepalive: async () => (await import('./keepalive.ts')).keepalive,
  export: async () => (await import('./export.ts')).exportConfig,
  completion: async () => (await import('./completion.ts')).completion,
  sandbox: async () => (await import('./sandbox.ts')).sandbox,
};
