/** Exit codes of the command line (docs/contract.md, "Exit codes"). Scripts depend on them: never renumber. */
export const Exit = {
  done: 0,
  failed: 1,
  usage: 2,
  needsAnswer: 3,
  needsSignIn: 4,
  temporary: 5,
  notAllowed: 6,
  noStore: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];
