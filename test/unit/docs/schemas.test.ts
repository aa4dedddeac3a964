import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import schema from '../../../docs/schemas/mailauth-1.schema.json' with { type: 'json' };
import eventSchema from '../../../docs/schemas/mailauth-event-1.schema.json' with { type: 'json' };
import packageJson from '../../../package.json' with { type: 'json' };
import { commands } from '../../../src/cli/tree.ts';
import { machine } from '../../support/command-line.ts';
import { checkedJson } from '../../support/json-schema.ts';

const answer = { schema: 'mailauth/1', ok: true, command: 'version', data: { version: '1.2.3' } };
const failure = { code: 'usage', exit: 2, title: 'No', why: '', next: [], detail: {} };
const text = (more: object): string => JSON.stringify({ ...answer, ...more });

/** What the other tests read from a command with --json is compared with the same schema, by `checkOutput`. */
describe('docs/schemas', () => {
  const parts = Object.keys(schema.$defs);

  it('has a part for every command', () => {
    const names = [...commands.map(({ name }) => name), 'help', 'version'];
    expect(names.filter((name) => !parts.includes(name.replace(' ', '-')))).toEqual([]);
    expect([...schema.$defs.answer.properties.command.enum].sort()).toEqual([...names, 'mailauth'].sort());
  });

  it('is named in docs/json.md, part by part', () => {
    const page = readFileSync(new URL('../../../docs/json.md', import.meta.url), 'utf8');
    const lines = parts.filter((part) => schema.$defs.line.anyOf.some(({ $ref }) => $ref === `#/$defs/${part}`));
    for (const part of ['answer', 'line', 'error', 'test-result', 'sheet', 'report-line', 'agent-problem', 'token-get', ...lines])
      expect(page).toContain(`\`${part}\``);
  });

  it('is in the package, under a name that stays', () => {
    expect(packageJson.exports).toMatchObject({ './schemas/*': './docs/schemas/*' });
    expect(packageJson.files).toContain('docs/schemas');
  });

  it('takes the two forms of an answer, and no mixture', () => {
    const { data: _, ...bare } = answer;
    expect(checkedJson(text({}))).toEqual(answer);
    expect(checkedJson(JSON.stringify({ ...bare, ok: false, error: failure }))).toBeDefined();
    for (const wrong of [bare, { ...answer, ok: false }, { ...answer, error: failure }, { ...answer, command: 'versions' }])
      expect(() => checkedJson(JSON.stringify(wrong)), JSON.stringify(wrong)).toThrow('docs/schemas does not allow');
  });

  it('tells these tests of a field that is new, missing or of another kind', () => {
    for (const more of [{ extra: 1 }, { data: {} }, { data: { version: '1', extra: 1 } }, { data: { version: 1 } }])
      expect(() => checkedJson(text(more)), JSON.stringify(more)).toThrow('docs/schemas does not allow');
    const times = { accessToken: 'x', tokenType: 'Bearer', username: 'a@b.example' };
    expect(checkedJson(JSON.stringify({ ...times, expiresAt: '2026-11-27T18:00:00Z' }), 'token-get')).toBeDefined();
    expect(() => checkedJson(JSON.stringify({ ...times, expiresAt: '2026-11-27 18:00' }), 'token-get')).toThrow('date-time');
  });

  it('lets programs of others pass what a later version adds', () => {
    const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false, strictRequired: false, validateFormats: false });
    ajv.addSchema([schema, eventSchema]);
    const validate = ajv.getSchema(schema.$id);
    expect(validate?.({ ...answer, extra: 1, data: { ...answer.data, extra: {} } })).toBe(true);
    expect(validate?.({ ...answer, data: {} })).toBe(false);
  });
});

it('the JSON of a completion script is as its schema says', async () => {
  const pc = await machine();
  expect((await pc.mailauth('completion bash --json')).json().data.shell).toBe('bash');
  await pc.end();
});
