import { isPersonal } from '../../core/links.ts';
import type { Surroundings } from '../../core/shown.ts';
import { printedStep } from '../../products/step/step.ts';
import { stepsMarkdown } from '../../products/step/step-markdown.ts';
import { azureCliScript } from './azure-cli.ts';
import { exchangeOnlineScript } from './exchange-powershell.ts';
import { graphPowerShellScript } from './graph-powershell.ts';
import { handoffReadme } from './handoff-readme.ts';
import { fileNames, type HandoffFile, type HandoffRequest } from './handoff-request.ts';

export type { HandoffFile, HandoffRequest };

/** The portal's steps hold sentences and values only: no line for a shell. */
const withoutCommands: Surroundings = { shell: 'posix' };

/**
 * The folder for an administrator: what to do, by hand or by script, with all values filled in and no secret. Pure: the same request gives
 * the same bytes. Personal accounts have no tenant that a script could sign in to, so their folder has the portal's steps only.
 * Throws `value-invalid` (exit 2) where a value holds a line break or an invisible character.
 */
export function handoffFiles(request: HandoffRequest): readonly HandoffFile[] {
  const files: HandoffFile[] = [
    {
      name: fileNames.portal,
      text: stepsMarkdown(
        `Register "${request.plan.displayName}" in the portal`,
        request.steps.map((step) => printedStep(step, withoutCommands)),
      ),
    },
  ];
  if (!isPersonal({ tenant: request.tenantId })) {
    // The scripts know delegated permissions only. An app that acts for itself is registered by the portal's steps.
    if (request.plan.appRoles === undefined) {
      files.push(
        { name: fileNames.azureCli, text: azureCliScript(request) },
        { name: fileNames.graph, text: graphPowerShellScript(request) },
      );
    }
    files.push({ name: fileNames.exchange, text: exchangeOnlineScript(request) });
  }
  const names = files.map(({ name }) => name);
  return [{ name: fileNames.readme, text: handoffReadme(request, names) }, ...files];
}
