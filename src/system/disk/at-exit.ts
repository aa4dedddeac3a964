const tasks = new Set<() => void>();

/**
 * Runs `task` when the process exits, unless the function that is returned was called before. All tasks share one listener, because Node
 * warns about a leak from the eleventh listener on.
 */
export function atExit(task: () => void): () => void {
  process.off('exit', runAll).once('exit', runAll);
  tasks.add(task);
  return () => {
    tasks.delete(task);
  };
}

function runAll(): void {
  for (const task of tasks) {
    try {
      task();
    } catch {
      // What was to be removed has gone already.
    }
  }
}
