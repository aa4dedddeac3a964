import { needsClientFlows } from '../../products/plan.ts';
import type { Answers } from '../answers/answers.ts';
import type { Known } from '../answers/question.ts';

/** Answers that, given differently, make another app than the one that stands. */
const decidesTheApp = [
  'access',
  'register',
  'tenant',
  'clientId',
  'clientType',
  'redirectUri',
  'audience',
  'variant',
  'protocols',
  'name',
  'secretMonths',
  'consent',
] as const;

/** Do these answers still mean the app that stands? */
export const isSameApp = (saved: Known, answers: Answers): boolean =>
  decidesTheApp.every((id) => String(saved[id]) === String(answers[id])) &&
  (answers.register !== 'auto' || !needsClientFlows(answers.signIn) || needsClientFlows(saved.signIn));

/**
 * Is the admin-consent page opened? With the portal its own screen is the usual way, so there it takes the flag. Gone on with after a
 * refusal (`again`), the sign-in tells whether an administrator has accepted in the meantime; without a sign-in only this page does.
 */
export function opensConsentPage({ register: way, consent, signIn, access }: Answers, flag: string | undefined, again: boolean): boolean {
  // An app that acts for itself has no redirect URI that the page could come back to.
  if (way === 'auto' || consent !== 'admin' || access === 'app-only') return false;
  const named = flag === 'admin';
  return again ? named || signIn === 'skip' : named || way === 'existing';
}
