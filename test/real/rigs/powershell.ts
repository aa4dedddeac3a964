import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const modules = join(import.meta.dirname, 'powershell');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where `dotnet tool install --global PowerShell` puts it, when it is not in the PATH. */
const installed = join(homedir(), '.dotnet', 'tools', 'pwsh');

let count = 0;

/**
 * Runs a script in the real PowerShell 7 (`dotnet tool install --global PowerShell --version 7.6.9`), strict and without a profile. The
 * modules in `rigs/powershell` stand in for Microsoft's, unless `modules` is false.
 */
export async function runPowerShell(
  text: string,
  where: { folder: string; env?: Record<string, string>; modules?: boolean },
): Promise<Ended> {
  count += 1;
  const script = join(where.folder, `run-${count}.ps1`);
  // With a byte order mark, which Windows PowerShell needs and version 7 accepts.
  await writeFile(script, `\uFEFF${text}`);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: where.folder,
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    POWERSHELL_TELEMETRY_OPTOUT: '1',
    POWERSHELL_UPDATECHECK: 'Off',
    NO_COLOR: '1',
    ...(where.modules === false ? {} : { PSModulePath: modules }),
    ...where.env,
  };
  return new Promise((resolve, reject) => {
    const file = existsSync(installed) ? installed : 'pwsh';
    execFile(
      file,
      ['-NoProfile', '-NonInteractive', '-File', script],
      { env, cwd: where.folder, timeout: 100_000 },
      (error, stdout, stderr) => {
        if (error !== null && 'code' in error && error.code === 'ENOENT') {
          reject(new Error('pwsh is missing: dotnet tool install --global PowerShell --version 7.6.9'));
        } else resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
  });
}
