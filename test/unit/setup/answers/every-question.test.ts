import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { setup } from '../../../../src/commands/setup/setup.ts';
import { namedCloud } from '../../../../src/core/cloud.ts';
import { type AnswerId, type Answers, answerSchemas, type Known, savedAnswers } from '../../../../src/setup/answers/answers.ts';
import { allQuestions, questions } from '../../../../src/setup/answers/questions.ts';
import { summaryFacts } from '../../../../src/setup/answers/summary.ts';

const base: Answers = {
  mailbox: 'helpdesk@contoso.com',
  for: 'osticket',
  access: 'delegated',
  register: 'auto',
  clientType: 'confidential',
  redirectUri: 'https://help.contoso.com/api/auth/oauth2',
  audience: 'single',
  variant: 'present-plugin',
  protocols: ['imap', 'smtp'],
  name: 'Mail of the help desk',
  secretMonths: 12,
  consent: 'admin',
  signIn: 'browser',
};

/** Another answer to each question. */
const others: Required<{ [K in AnswerId]: Known[K] }> = {
  mailbox: 'sales@contoso.com',
  for: 'custom',
  access: 'app-only',
  openedBy: 'unsure',
  signInAs: 'ada@contoso.com',
  tenant: 'fabrikam.com',
  label: 'Contoso',
  register: 'portal',
  clientType: 'public',
  clientId: '11111111-2222-3333-4444-555555555555',
  sharedApp: 'yes',
  redirectUri: 'https://help.contoso.com/other',
  audience: 'multi',
  variant: 'older-plugin',
  protocols: ['pop'],
  name: 'Another name',
  secretMonths: 6,
  serviceManagementReference: 'b0e1c2d3',
  consent: 'user',
  signIn: 'skip',
};

const lineOf = (answers: Answers, label: string): string | undefined => {
  const endpoints = {
    authorization: 'https://login.example/authorize',
    token: 'https://login.example/token',
    issuer: 'https://login.example',
  };
  const tenant = { id: 'tenant-id', foundBy: answers.tenant ?? 'contoso.com', endpoints };
  return summaryFacts(answers, tenant, namedCloud('public'), 'a file').find(([name]) => name === label)?.[1];
};

const options = setup.configure(new Command('setup')).options;

describe.each(Object.keys(answerSchemas).map((id) => ({ question: allQuestions.find((one) => one.id === id), id })))(
  '$id',
  ({ question, id }) => {
    it('is a question that is asked in its turn, once', () => {
      expect(allQuestions.filter((one) => one.id === id)).toEqual([question]);
    });

    it('has its flag in setup --help, under the name of its answer', () => {
      const option = options.find((one) => one.long === question?.flag);
      // Whose account opens the mailbox says who opens it. The flag of the shared app is an answer by itself.
      expect([option?.attributeName(), option?.required]).toEqual([id === 'openedBy' ? 'signInAs' : id, id !== 'sharedApp']);
      expect(option?.description).not.toBe('');
    });

    it('has its line in the summary, which changes with the answer', () => {
      const other: Answers = { ...base, ...(question && { [question.id]: others[question.id] }) };
      const label = question?.summary ?? '';
      expect(lineOf(other, label)).toBeDefined();
      expect(lineOf(other, label)).not.toBe(lineOf(base, label));
    });

    it('has its place in the journal', () => {
      const answer = question && { [question.id]: others[question.id] };
      expect(savedAnswers.parse(answer)).toEqual(answer);
    });
  },
);

it('no question leaves the table or the order out', () => {
  expect(Object.keys(questions).sort()).toEqual(allQuestions.map(({ id }) => id).sort());
  expect(Object.keys(answerSchemas).sort()).toEqual(Object.keys(questions).sort());
});
