import { describe, expect, it } from 'vitest';
import { planRegistration } from '../../../src/products/plan.ts';
import { productNamed } from '../../../src/products/products.ts';
import { plans } from '../entra/plans.ts';

/** The plans whose Graph bodies are kept as golden files are the ones that the guides make: neither can drift from the other. */
const confidential = { clientType: 'confidential', redirectUri: plans['this-computer-confidential'].redirectUris[0] } as const;
const answersOf = {
  'this-computer-public': {},
  'this-computer-confidential': confidential,
  osticket: {},
  'osticket-implicit': { variant: 'older-plugin' },
  supportpal: {},
  kaseya: {},
  mspbots: {},
} as const;

describe('golden plans', () => {
  it.each(Object.entries(answersOf))('%s is what its guide plans', (name, more) => {
    const plan = plans[name as keyof typeof plans];
    const guide = productNamed(name.replace(/-(public|confidential|implicit)$/, ''))!;
    const answers = {
      name: plan.displayName,
      audience: guide.audience,
      clientType: guide.clientType,
      redirectUri: plan.redirectUris[0] ?? '',
      protocols: guide.protocols,
      secretMonths: guide.secretMonths,
      consent: plan.consent,
      ...more,
    };
    expect(planRegistration(guide, answers, plan.tag.replace('mailauth:', ''))).toEqual(plan);
  });
});
