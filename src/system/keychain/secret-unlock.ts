import { type AskingPerson, KeychainFailure, type KeychainProvider } from '../../core/keychain-port.ts';
import { isGone } from './bus-errors.ts';
import { dismiss, isCollectionLocked, type Line, noObject, readDefaultAlias, runPrompt, unlock } from './secret-calls.ts';
import { openWallet, type SecretProvider } from './secret-provider.ts';

/** What opening needs of one call of mailauth. */
export interface Talk extends Line {
  /** undefined where no person may be asked: without a terminal, with --yes and with --no-input */
  readonly person: AskingPerson | undefined;
  provider(): Promise<SecretProvider | undefined>;
}

interface Words {
  readonly title: string;
  /** what holds the entries */
  readonly whole: string;
}

const words: Readonly<Record<KeychainProvider, Words>> = {
  'gnome-keyring': { title: 'GNOME Keyring', whole: 'keyring' },
  kwallet: { title: 'KWallet', whole: 'wallet' },
  keepassxc: { title: 'KeePassXC', whole: 'database' },
};
const unknown: Words = { title: 'The keychain', whole: 'keyring' };

const wordsOf = (provider: SecretProvider | undefined): Words => (provider?.name === undefined ? unknown : words[provider.name]);

const mayUse = 'whether mailauth may use its entry';

/** How long a person has for a prompt. */
const personMs = 120_000;
/** A prompt that ends by itself does so within this time, also on a busy computer. */
const byItselfMs = 2_000;

/** The default collection, open. Throws `KeychainFailure` 'no-collection' or 'locked'. */
export async function openCollection(talk: Talk): Promise<string> {
  try {
    const collection = await defaultCollection(talk);
    if (await isCollectionLocked(talk, collection)) await openLocked(talk, [collection], 'collection');
    return collection;
  } catch (error) {
    if (!isGone(error) || !(error instanceof Error)) throw error;
    throw new KeychainFailure('no-collection', error.message, { provider: (await talk.provider())?.name, cause: error });
  }
}

async function defaultCollection(talk: Talk): Promise<string> {
  const known = await readDefaultAlias(talk);
  if (known !== noObject) return known;
  const provider = await talk.provider();
  const wallet = provider?.name === 'kwallet' ? await openWallet(talk, provider) : undefined;
  const why =
    wallet === undefined ? 'it names no default keyring' : 'its wallet was made in this session, and is there from the next log-in on';
  throw new KeychainFailure('no-collection', why, { provider: provider?.name });
}

/**
 * Opens what is locked. Where the service answers with a prompt, a person has to agree, and is only asked on a terminal. Throws
 * `KeychainFailure` 'locked', or 'unconfirmed' where KeePassXC wants a yes for the entry.
 */
export async function openLocked(talk: Talk, objects: readonly string[], what: 'collection' | 'entry'): Promise<void> {
  const prompt = await unlock(talk, objects);
  if (prompt === noObject) return;
  const provider = await talk.provider();
  const needsNobody = provider?.name === 'kwallet' && (await endsByItself(talk, provider));
  if (needsNobody && (await runPrompt(talk, prompt, byItselfMs)) === 'done') return;
  const trouble = provider?.name === 'keepassxc' && what === 'entry' ? 'unconfirmed' : 'locked';
  const { whole } = wordsOf(provider);
  if (talk.person === undefined) {
    dismiss(talk, prompt);
    throw new KeychainFailure(trouble, what === 'entry' ? 'the entry is locked' : `the ${whole} is locked`, { provider: provider?.name });
  }
  await ask(talk, talk.person, prompt, trouble === 'unconfirmed' ? mayUse : `to unlock the ${whole}`, provider);
}

/** KWallet's prompt ends without a person where the wallet is open. Its newest service, ksecretd, does not say whether it is. */
const endsByItself = async (talk: Talk, provider: SecretProvider): Promise<boolean> =>
  provider.process === 'ksecretd' || (await openWallet(talk, provider)) !== undefined;

/** Runs the prompt of a change. KeePassXC has one for each change, and only some of them wait for a person. */
export async function agree(talk: Talk, prompt: string, what: string): Promise<void> {
  if (prompt === noObject) return;
  const provider = await talk.provider();
  const { person } = talk;
  if (provider?.name === 'keepassxc') {
    const soon = person === undefined ? undefined : setTimeout(() => person.say(asks(provider, what)), byItselfMs);
    const end = await runPrompt(talk, prompt, person === undefined ? byItselfMs : personMs).finally(() => clearTimeout(soon));
    if (end === 'done') return;
    throw new KeychainFailure('unconfirmed', end === 'late' ? 'nobody answered its question' : 'the answer was no', {
      provider: provider.name,
    });
  }
  if (person !== undefined) return ask(talk, person, prompt, what, provider);
  dismiss(talk, prompt);
  throw new KeychainFailure('locked', 'it wants to ask a person first', { provider: provider?.name });
}

const asks = (provider: SecretProvider | undefined, what: string): string =>
  `${wordsOf(provider).title} asks you ${what}, in a window of its own. Waiting for your answer.`;

async function ask(talk: Talk, person: AskingPerson, prompt: string, what: string, provider: SecretProvider | undefined): Promise<void> {
  person.say(asks(provider, what));
  const end = await runPrompt(talk, prompt, personMs);
  if (end === 'done') return;
  const why = end === 'late' ? 'nobody answered its question' : 'the question in its window was answered with no';
  const trouble = what === mayUse ? 'unconfirmed' : 'locked';
  throw new KeychainFailure(trouble, why, { provider: provider?.name });
}
