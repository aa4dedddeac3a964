import { Ajv2020 } from 'ajv/dist/2020.js';
import schema from '../../docs/schemas/mailauth-1.schema.json' with { type: 'json' };
import eventSchema from '../../docs/schemas/mailauth-event-1.schema.json' with { type: 'json' };

const formats = {
  // RFC 3339 in UTC, as the contract has all times.
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/,
  uri: (text: string): boolean => URL.canParse(text),
};
const ajv = new Ajv2020({ formats, allowUnionTypes: true, strictTypes: false, strictRequired: false });

/** The same schema, but no object may have a member that it does not name: a new field must be written down before a test passes. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const parts = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]));
  return 'type' in part && part.type === 'object' && 'properties' in part ? { ...parts, unevaluatedProperties: false } : parts;
}
for (const one of [schema, eventSchema]) ajv.addSchema({ ...Object(closed(one)), $id: one.$id });

type Part = keyof typeof schema.$defs;
const eventPart = 'event';

/**
 * The JSON text as a value. Throws where it has another form than docs/schemas says, also where it has one member more. `part` is one of the
 * `$defs`; without it the text is a line that a command prints with --json.
 */
export function checkedJson(text: string, part?: Part | typeof eventPart): ReturnType<typeof JSON.parse> {
  const address = part === eventPart ? eventSchema.$id : `${schema.$id}${part === undefined ? '' : `#/$defs/${part}`}`;
  const validate = ajv.getSchema(address);
  if (validate === undefined) throw new Error(`there is no schema ${address}`);
  const value = JSON.parse(text);
  if (validate(value)) return value;
  const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  throw new Error(`docs/schemas does not allow this JSON:\n${faults.join('\n')}\n${text.slice(0, 2_000)}`);
}

/** Checks what `mailauth …argv` printed on stdout, where that is JSON. The rest of a line that a killed process began is left out. */
export function checkOutput(argv: readonly string[], out: string): void {
  const isToken = argv[0] === 'token' && argv[1] === 'get';
  if (!argv.includes('--json') && !(isToken && argv.includes('json'))) return;
  for (const line of out.split('\n').slice(0, -1))
    if (line.startsWith('{')) checkedJson(line, isToken && !line.startsWith('{"schema":') ? 'token-get' : undefined);
    else if (!isToken) throw new Error(`mailauth ${argv.join(' ')} printed a line that is no JSON: ${line}`);
}

/** The same for a command line: what stands behind the path of the program are its words. */
export function checkRun(words: readonly string[], out: string): void {
  const at = words.findIndex((word) => word.endsWith('bin/mailauth.js'));
  if (at !== -1) checkOutput(words.slice(at + 1), out);
}
