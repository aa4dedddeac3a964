import { defined } from '../../core/defined.ts';
import { badRequest, type GraphAnswer, type GraphCall, graphError } from './graph-call.ts';

export type Row = Readonly<Record<string, unknown>>;

/** How one kind of object is asked for. */
export interface Entity {
  /** `applications`, as in `$metadata#applications` */
  readonly set: string;
  /** `application`, as in `microsoft.graph.application` */
  readonly type: string;
  readonly filterable: readonly string[];
}

const context = 'https://graph.microsoft.com/v1.0/$metadata#';
const pageSize = 100;

type Test = (row: Row) => boolean;

/** Answers a collection with `$filter`, `$select`, `$top`, `$count` and pages (learn.microsoft.com/graph/query-parameters). */
export function answerList(rows: readonly Row[], entity: Entity, call: GraphCall, at: string): GraphAnswer {
  const unknown = [...call.query.keys()].find((name) => name.startsWith('$') && !supported.includes(name));
  if (unknown !== undefined) return graphError(400, 'Request_UnsupportedQuery', `The query option '${unknown}' is not supported here.`);
  const tests = readFilter(call.query.get('$filter') ?? '', entity);
  if ('status' in tests) return tests;
  const found = rows.filter((row) => tests.every((test) => test(row)));
  const select = readSelect(call, found[0] ?? rows[0], entity);
  if ('status' in select) return select;
  const top = Number(call.query.get('$top') ?? pageSize);
  if (!Number.isInteger(top) || top < 1 || top > 999) return badRequest(`Invalid page size specified: '${call.query.get('$top')}'.`);
  const skip = Number(call.query.get('$skiptoken') ?? 0) || 0;
  const next = new URLSearchParams(call.query);
  next.set('$skiptoken', String(skip + top));
  return {
    status: 200,
    body: {
      '@odata.context': `${context}${entity.set}`,
      ...defined({
        '@odata.count': call.eventual && call.query.get('$count') === 'true' ? found.length : undefined,
        '@odata.nextLink': found.length > skip + top ? `${at}?${next}` : undefined,
      }),
      value: found.slice(skip, skip + top).map((row) => pickFields(row, select)),
    },
  };
}

/** Answers one object, with `$select`. */
export function answerOne(row: Row, entity: Entity, call: GraphCall, status = 200): GraphAnswer {
  const select = readSelect(call, row, entity);
  if ('status' in select) return select;
  return { status, body: { '@odata.context': `${context}${entity.set}/$entity`, ...pickFields(row, select) } };
}

/** `GET /applications/$count`: a bare number, and only with `ConsistencyLevel: eventual`. */
export function answerCount(rows: readonly Row[], entity: Entity, call: GraphCall): GraphAnswer {
  if (!call.eventual) return badRequest('$count is not currently supported.');
  const tests = readFilter(call.query.get('$filter') ?? '', entity);
  if ('status' in tests) return tests;
  return { status: 200, text: String(rows.filter((row) => tests.every((test) => test(row))).length) };
}

const supported = ['$filter', '$select', '$top', '$count', '$skiptoken'];

const clauses = {
  equals: /^(\w+) eq (?:'((?:[^']|'')*)'|(null|true|false))$/,
  any: /^(\w+)\/any\((\w+):\s*\2 eq '((?:[^']|'')*)'\)$/,
  starts: /^startswith\((\w+),\s*'((?:[^']|'')*)'\)$/i,
} as const;

/** `a eq 'x' and tags/any(t:t eq 'y')`: what mailauth uses, and an error for everything else. */
function readFilter(filter: string, entity: Entity): readonly Test[] | GraphAnswer {
  const tests: Test[] = [];
  const parts = filter.trim() === '' ? [] : filter.split(/ and (?=(?:[^']*'[^']*')*[^']*$)/);
  for (const part of parts) {
    const test = readClause(part.trim());
    if (test === undefined) return badRequest(`Invalid filter clause: '${part.trim()}'.`);
    if (!entity.filterable.includes(test.field)) {
      const message = `Unsupported or invalid query filter clause specified for property '${test.field}' of resource '${entity.type}'.`;
      return graphError(400, 'Request_UnsupportedQuery', message);
    }
    tests.push(test.test);
  }
  return tests;
}

function readClause(part: string): { readonly field: string; readonly test: Test } | undefined {
  const equals = clauses.equals.exec(part);
  if (equals?.[1] !== undefined) {
    const [, field, quoted, bare] = equals;
    return { field, test: (row) => (quoted === undefined ? String(row[field]) === bare : same(row[field], unquote(quoted))) };
  }
  const any = clauses.any.exec(part);
  if (any?.[1] !== undefined) {
    const [, field, , quoted = ''] = any;
    return { field, test: (row) => listOf(row[field]).some((one) => same(one, unquote(quoted))) };
  }
  const starts = clauses.starts.exec(part);
  if (starts?.[1] === undefined) return undefined;
  const [, field, quoted = ''] = starts;
  return { field, test: (row) => String(row[field]).toLowerCase().startsWith(unquote(quoted).toLowerCase()) };
}

function readSelect(call: GraphCall, sample: Row | undefined, entity: Entity): readonly string[] | GraphAnswer {
  const select = (call.query.get('$select') ?? '').split(',').map((name) => name.trim());
  const names = select.filter((name) => name !== '');
  const unknown = names.find((name) => sample !== undefined && !Object.hasOwn(sample, name));
  if (unknown === undefined) return names;
  return badRequest(`Could not find a property named '${unknown}' on type 'microsoft.graph.${entity.type}'.`);
}

function pickFields(row: Row, names: readonly string[]): Row {
  return names.length === 0 ? row : Object.fromEntries(names.map((name) => [name, row[name]]));
}

// The directory compares text without regard to case.
function same(value: unknown, text: string): boolean {
  return typeof value === 'string' && value.toLowerCase() === text.toLowerCase();
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unquote(text: string): string {
  return text.replaceAll("''", "'");
}
