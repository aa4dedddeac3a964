import { expect, it } from 'vitest';
import { readGrant } from '../../../src/oauth/grant.ts';

const answer = (expires_in: unknown) => readGrant({ access_token: 'a', token_type: 'Bearer', refresh_token: 'r', expires_in }, [], 0);

it.each([
  [3599, 3599],
  ['3599', 3599],
  [0, 0],
  [undefined, 3600],
  [-1, 3600],
  [1e13, 3600],
  [Number.MAX_VALUE, 3600],
  [Number.POSITIVE_INFINITY, 3600],
  ['999999999', 3600],
  [{}, 3600],
])('expires_in %s: %i seconds, and the refresh token is kept', (given, seconds) => {
  const grant = answer(given);
  expect(grant?.expiresInSeconds).toBe(seconds);
  expect(grant?.refreshToken?.reveal()).toBe('r');
});
