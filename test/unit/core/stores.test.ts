import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { topicText } from '../../../src/cli/help-topics.ts';
import { rootHelp } from '../../../src/cli/tree.ts';
import { storeMove } from '../../../src/commands/store/store-move.ts';
import { chosenStores, isChosenStore, storeNames, stores } from '../../../src/core/stores.ts';
import { storeCheck } from '../../../src/doctor/check-store.ts';
import { addGlobalOptions, readGlobals } from '../../../src/session/globals.ts';
import { openStore } from '../../../src/session/open-store.ts';
import { sharedWith } from '../../../src/session/shared-with.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';

const address = { MAILAUTH_DATABASE_URL: 'postgresql://mailauth@localhost/mailauth' };
const quiet = { sandbox: false, noInput: true, yes: false };

describe.each(storeNames)('the store %s', (name) => {
  it('has its words', () => {
    expect(stores[name].title).toMatch(/^[A-Z]/);
    expect(stores[name].is).not.toBe('');
  });

  it('has its check in doctor', () => {
    expect(storeCheck({ name }, () => Promise.reject(new Error('not opened here')))).toMatchObject({ id: name, title: stores[name].title });
  });

  it('is opened by its own name', async () => {
    const folder = await temporaryFolder();
    const { ctx, store: postgres } =
      sharedWith(testContext({ files: systemFiles, env: address }), { ...readGlobals({}, {}) }, folder.path) ?? {};
    expect((await openStore(ctx ?? testContext(), quiet, folder.path, name, { postgres })).name).toBe(name);
    await folder.remove();
  });
});

describe.each(chosenStores)('the store %s, which an operator may choose,', (name) => {
  it('is a value of --store and of MAILAUTH_STORE', () => {
    expect(readGlobals({ store: name }, {}).store).toBe(name);
    expect(readGlobals({}, { MAILAUTH_STORE: name }).store).toBe(name);
    expect(addGlobalOptions(new Command()).options.find((option) => option.long === '--store')?.description).toContain(name);
  });

  it('is a target of `store move`, with an example', () => {
    let help = '';
    const command = storeMove.configure(new Command('mailauth store move')).configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help).toContain(`mailauth store move ${name} `);
    expect(rootHelp('0')).toMatch(new RegExp(`store move <[^>]*\\b${name}\\b`));
  });

  it('has its paragraph in `mailauth help stores`', () => {
    expect(topicText('stores')).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
  });
});

it('another word, and the file of the sandbox, are wrong usage that lists the stores', () => {
  for (const store of ['cellar', 'sandbox-file']) {
    expect(isChosenStore(store)).toBe(false);
    expect(() => readGlobals({ store }, {})).toThrow(
      expect.objectContaining({ code: 'value-invalid', exit: 2, why: `Stores are: ${chosenStores.join(', ')}.` }),
    );
  }
});

it('an unknown name is never opened as the keychain', async () => {
  // @ts-expect-error The compiler refuses such a name as well.
  await expect(openStore(testContext(), quiet, '/nowhere', 'cellar')).rejects.toThrow('no store cellar');
});
