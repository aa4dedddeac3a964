import type { AnswerId, Answers, Known } from './answers.ts';
import { leftToOperator, type SetupQuestion } from './question.ts';
import { allQuestions } from './questions.ts';

/** What each answer is called in the list of answers that can be changed; undefined: it is not changed there. */
const titles: Readonly<Record<AnswerId, string | undefined>> = {
  // By "Another way".
  register: undefined,
  // Asked for where the tenant demands it.
  serviceManagementReference: undefined,
  // By the flag, or where it is offered.
  sharedApp: undefined,
  mailbox: 'Mailbox',
  for: 'Product',
  access: 'Kind of access',
  openedBy: 'Who opens it',
  signInAs: 'Whose account opens it',
  tenant: 'Tenant',
  label: 'Label of the customer',
  clientType: 'Client type',
  clientId: 'Client ID',
  redirectUri: 'Redirect URI (callback address)',
  audience: 'Whose accounts may sign in',
  variant: 'Kind of the product',
  protocols: 'Protocols',
  name: 'Name of the app',
  secretMonths: "Client secret's months",
  consent: 'Who consents',
  signIn: 'How the mailbox signs in',
};

/** What a product's own guide decides; only a program of one's own is free in it. */
const decidedByProduct: readonly AnswerId[] = ['access', 'clientType', 'audience', 'signIn'];

export function changeable(answers: Answers): readonly { readonly id: AnswerId; readonly title: string }[] {
  return allQuestions.flatMap((question) => {
    const title = titles[question.id];
    return title !== undefined && isOpen(question, answers) ? [{ id: question.id, title }] : [];
  });
}

function isOpen({ id, applies, offered, choices }: SetupQuestion, answers: Known): boolean {
  if (applies?.(answers) === false) return false;
  const isFree = answers.for === 'this-computer' || answers.for === 'custom' || leftToOperator(id)(answers);
  const among = (offered ?? choices)?.(answers);
  return (isFree || !decidedByProduct.includes(id)) && (among === undefined || among.length > 1);
}
