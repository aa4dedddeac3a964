import { noted } from '../../core/next.ts';
import { anyIsKept, base, isAppOnly, isRegistering, isShared, productOf, type SetupQuestions } from './question.ts';

/** What only an app has that is registered in this set-up: its name, its client secret, and what the tenant demands of it. */
export const newAppQuestions = {
  sharedApp: {
    id: 'sharedApp',
    flag: '--shared-app',
    noun: 'answer about the shared app',
    message: 'One app for all mailboxes of this tenant and product?',
    applies: (known) => known.register === undefined || known.register === 'auto' || known.register === 'existing',
    // Asked where another set-up has an app that can be used (remaining-answers.ts): the flag or that person says it, and nobody else.
    asked: () => false,
    choices: () => [
      { value: 'yes', name: 'One app for all of them' },
      { value: 'take', name: 'Use it for this mailbox too' },
      { value: 'no', name: 'Make another' },
    ],
    offered: () => [
      { value: 'take', name: 'Use it for this mailbox too' },
      { value: 'no', name: 'Make another' },
    ],
    optional: true,
    example: (known) => noted(base(known, { sharedApp: false }), 'makes an app for this mailbox alone'),
    help: ['', 'one app for all mailboxes of this tenant and product: the one that is there, else a new one'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => (registration.shared === true ? 'yes' : undefined),
    isKept: ({ registration }, answers) => answers.sharedApp === undefined || (registration.shared === true) === isShared(answers),
  },
  name: {
    id: 'name',
    flag: '--name',
    noun: 'name for the app',
    message: 'Name of the registration?',
    applies: isRegistering,
    asked: () => false,
    check: (value) => (value.length <= 90 && !/[<>;&%]/.test(value) ? true : 'at most 90 characters, none of < > ; & %'),
    default: (known) =>
      isShared(known)
        ? `mailauth ${known.for}${isAppOnly(known) ? ' app-only' : ''}`
        : `mailauth ${known.for} ${known.mailbox}`.slice(0, 90),
    example: (known) => base(known, { name: 'mailauth helpdesk' }),
    help: ['<text>', 'display name of the registration'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => registration.name,
    isKept: ({ registration }, { name }) => registration.made === undefined || registration.name === name,
  },
  secretMonths: {
    id: 'secretMonths',
    flag: '--secret-months',
    noun: 'number of months',
    message: 'For how many months should the client secret be valid?',
    applies: (known) => isRegistering(known) && known.clientType === 'confidential',
    asked: () => false,
    check: (value) => (/^\d{1,2}$/.test(value) && Number(value) >= 1 && Number(value) <= 24 ? true : 'the portal allows 1 to 24 months'),
    default: (known) => String(productOf(known)?.secretMonths ?? 12),
    example: (known) => base(known, { secretMonths: 12 }),
    parse: Number,
    help: ['<n>', 'lifetime of a new client secret, 1 to 24'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    isKept: anyIsKept,
  },
  serviceManagementReference: {
    id: 'serviceManagementReference',
    flag: '--service-management-reference',
    noun: 'service management reference',
    message: 'Service management reference? (the ID of your service, which this tenant asks for)',
    applies: isRegistering,
    // Asked where Microsoft Graph asks for it: hardly any tenant does.
    asked: () => false,
    check: (value) => (value !== '' && value.length <= 256 && !/\s/.test(value) ? true : 'an ID without blanks, at most 256 characters'),
    optional: true,
    example: (known) => noted(base(known, { serviceManagementReference: false }), 'asks for it where the tenant does'),
    help: ['<id>', 'ID of the service in your directory, where the tenant demands one on each app'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => registration.serviceManagementReference,
    isKept: ({ registration }, { serviceManagementReference: wanted }) =>
      registration.made === undefined || wanted === undefined || registration.serviceManagementReference === wanted,
  },
} satisfies Partial<SetupQuestions>;
