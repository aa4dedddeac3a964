import { type Argument, Command, type Option } from 'commander';
import { modules } from '../../../src/cli/modules.ts';
import { type CommandEntry, commands } from '../../../src/cli/tree.ts';
import { addGlobalOptions } from '../../../src/session/globals.ts';

/** An option as commander declares it: `--for <product>` and what it is for. */
export interface Flag {
  readonly flags: string;
  readonly long: string;
  readonly description: string;
}

export interface CommandPaper {
  readonly entry: CommandEntry;
  readonly args: readonly { readonly name: string; readonly required: boolean; readonly variadic: boolean; readonly description: string }[];
  readonly flags: readonly Flag[];
}

/** Every command with its arguments and flags, as the program itself declares them. */
export async function commandPapers(): Promise<readonly CommandPaper[]> {
  return Promise.all(
    commands.map(async (entry) => {
      const command = (await modules[entry.name]()).configure(new Command());
      return { entry, args: command.registeredArguments.map(argumentOf), flags: command.options.map(flagOf) };
    }),
  );
}

export const globalFlags = (): readonly Flag[] => addGlobalOptions(new Command()).options.map(flagOf);

const flagOf = ({ flags, long, description }: Option): Flag => ({ flags, long: long ?? flags, description });

const argumentOf = (one: Argument) => ({
  name: one.name(),
  required: one.required,
  variadic: one.variadic,
  description: one.description,
});

/** `setup`, `test <protocol> [mailbox]`: as the usage line has it. */
export function usageOf({ entry, args }: CommandPaper): string {
  const words = args.map(({ name, required, variadic }) => {
    const word = variadic ? `${name}...` : name;
    return required ? `<${word}>` : `[${word}]`;
  });
  return ['mailauth', entry.name, ...words].join(' ');
}
