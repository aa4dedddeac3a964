import { describe, expect, it } from 'vitest';
import { readAuthorizationAnswer, refuseForeignIssuer } from '../../../src/oauth/authorization-answer.ts';

const tenantId = '5a4db0c5-c0de-4a11-b0b5-c0ffee000365';
const login = 'https://login.microsoftonline.com';

describe('who gave the answer (RFC 9207)', () => {
  const judge = (query: string, issuer: string) => {
    const read = readAuthorizationAnswer(new URLSearchParams(query));
    if (read.kind !== 'answer') return read.why;
    try {
      refuseForeignIssuer(read.answer, { issuer }, 'ada@contoso.com');
      return 'taken';
    } catch (error) {
      return error instanceof Object && 'code' in error ? error.code : error;
    }
  };

  it.each([
    ['not said', 'code=abc', `${login}/${tenantId}/v2.0`, 'taken'],
    ['said as nothing', 'code=abc&iss=', `${login}/${tenantId}/v2.0`, 'taken'],
    ['the one that was asked', `code=abc&iss=${login}/${tenantId}/v2.0`, `${login}/${tenantId}/v2.0`, 'taken'],
    ['one tenant of many', `code=abc&iss=${login}/${tenantId}/v2.0`, `${login}/{tenantid}/v2.0`, 'taken'],
    ['another host', `code=abc&iss=https://evil.example/${tenantId}/v2.0`, `${login}/${tenantId}/v2.0`, 'answer-foreign'],
    ['another tenant', `code=abc&iss=${login}/11111111-2222-3333-4444-555555555555/v2.0`, `${login}/${tenantId}/v2.0`, 'answer-foreign'],
    ['no tenant where there are many', `code=abc&iss=${login}/evil/../v2.0`, `${login}/{tenantid}/v2.0`, 'answer-foreign'],
    ['another host, beside an error', 'error=access_denied&iss=https://evil.example', `${login}/${tenantId}/v2.0`, 'answer-foreign'],
    ['two of them', `code=abc&iss=${login}/${tenantId}/v2.0&iss=https://evil.example`, `${login}/${tenantId}/v2.0`, 'twice'],
  ])('%s', (_, query, issuer, wanted) => {
    expect(judge(query, issuer)).toBe(wanted);
  });
});
