import { Exit } from '../../../core/exit.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { doctor, type MailSpot, show, signIn } from './mail-words.ts';

/** What other programs show of a sign-in that the server refused with a challenge in JSON. */
export const challengeEntries = {
  'sasl-challenge': entry<MailSpot>({
    exit: Exit.needsSignIn,
    source: sources.challenge,
    says: ['"status":"401","schemes":', '"status":"400","schemes":', '"status":"invalid_token"', '"status":"insufficient_scope"'],
    title: () => 'the mail server refuses the token, in a challenge that is JSON in base64',
    why: () => 'the token is expired, cut, for another user, or without the mail permission',
    next: (v) => [signIn(v), show(v), `not Microsoft's own words: a gateway in between may answer; see ${doctor}`],
  }),
};
