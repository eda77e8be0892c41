import { z } from 'zod';
import type { Given, ModelTest, TestRun } from '../core/model-test.ts';
import { isDay, startOfDay } from '../core/run-date.ts';
import { type ModelSpec, modelId } from '../core/spec.ts';
import { didYouMean } from '../core/suggest.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';
import type { TestContext } from './test-context.ts';
import { readExpected } from './test-expected.ts';
import { checkInputs, readGiven } from './test-given.ts';
import { readVarValues } from './vars.ts';

const TESTS = {
  model: { schema: z.string(), expected: "a model, such as 'silver.orders'" },
  tests: {
    schema: z.record(z.string(), z.unknown()).refine((tests) => Object.keys(tests).length > 0),
    expected: 'at least one test by name, such as { keeps the first: { given: ..., expect: ... } }',
    required: true,
  },
} as const satisfies Record<string, Field>;

const any = { schema: z.unknown(), expected: 'given and expect' } as const;

const RUN = {
  given: { ...any, expected: 'rows by source or table' },
  expect: { ...any, expected: 'rows, rejected rows or an error' },
  run_date: {
    schema: z.string().refine((text) => instantOf(text) !== undefined),
    expected: 'a date or an instant in ISO 8601, such as 2026-01-31 or 2026-01-31T06:00:00Z',
  },
  run_id: {
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/),
    expected: "1 to 80 letters, digits, '-' or '_'",
  },
  vars: { schema: z.record(z.string(), z.unknown()), expected: 'values by the names of variables' },
} as const satisfies Record<string, Field>;

const TEST = {
  ...RUN,
  description: { schema: z.string(), expected: 'text' },
  runs: { schema: z.array(z.unknown()).min(1), expected: 'a list of runs, each with given' },
} as const satisfies Record<string, Field>;

/**
 * Reads what a file of tests declares. `stem`: the file's name without its ending, which is the model where the file names
 * none. What is wrong is noted, and there are no tests then.
 */
export async function readModelTests(
  value: unknown,
  stem: string,
  file: string,
  context: TestContext,
): Promise<readonly ModelTest[]> {
  const { notes } = context;
  const start = notes.found.length;
  if (!isRecord(value)) notes.add('the file', showValue(value), '{ model, tests: { <name>: { given, expect } } }');
  const read = isRecord(value) ? readFields(TESTS, value, '', '', notes) : undefined;
  const model = read === undefined ? undefined : findModel(context, read.model ?? stem, read.model !== undefined);
  if (model === undefined) return [];
  const tests: ModelTest[] = [];
  for (const [name, test] of Object.entries(read?.tests ?? {})) {
    const before = notes.found.length;
    const place = placeIn('tests', name);
    const found = await readTest(test, place, model, context);
    if (notes.found.length > before || found === undefined) continue;
    checkInputs(context, model, found.runs, place);
    tests.push({ name, file, place, model, ...found });
  }
  return notes.found.length === start ? tests : [];
}

function findModel({ spec, notes }: TestContext, name: string, named: boolean): ModelSpec | undefined {
  const found = spec.models.filter((model) => model.id === name || model.name === name);
  if (found.length === 1) return found[0];
  const ids = spec.models.map(modelId);
  const place = named ? 'model' : 'the name of the file';
  const other = named ? '' : ', or model: to name it';
  if (found.length > 1)
    notes.add(place, `${name}, which is two models`, `model: ${found.map(modelId).join(' or model: ')}`);
  else
    notes.add(
      place,
      showValue(name),
      `a model of ${spec.name}: ${ids.join(', ')}${didYouMean(name, [...ids, ...spec.models.map((model) => model.name)])}${other}`,
    );
  return undefined;
}

type TestRead = Pick<ModelTest, 'description' | 'runs'>;

async function readTest(
  value: unknown,
  place: string,
  model: ModelSpec,
  context: TestContext,
): Promise<TestRead | undefined> {
  const { notes } = context;
  const read = readFields(TEST, value, place, '{ given: ..., expect: ... }', notes);
  if (read === undefined) return undefined;
  const { description = null, runs, ...whole } = read;
  if (runs === undefined && isRecord(value) && value['runs'] !== undefined) return undefined;
  if (runs === undefined) {
    if (whole.expect === undefined) notes.add(placeIn(place, 'expect'), 'nothing', RUN.expect.expected);
    const run = await readRun(whole, place, { model, context, nth: 0 });
    return run === undefined ? undefined : { description, runs: [run] };
  }
  for (const key of ['given', 'run_date', 'run_id', 'vars'] as const) {
    if (whole[key] !== undefined) notes.add(placeIn(place, key), `${key} beside runs`, `${key} in each of the runs`);
  }
  const found: TestRun[] = [];
  for (const [nth, one] of runs.entries()) {
    const at = placeIn(placeIn(place, 'runs'), nth);
    const fields = readFields(RUN, one, at, '{ given: ..., expect: ... }', notes);
    const last = nth === runs.length - 1 && whole.expect !== undefined;
    if (last && fields?.expect !== undefined) {
      notes.add(placeIn(at, 'expect'), 'a second expect for the last run', `one: here, or ${placeIn(place, 'expect')}`);
    }
    if (nth === runs.length - 1 && !last && fields?.expect === undefined) {
      notes.add(placeIn(place, 'expect'), 'nothing', 'what must be there after the last run');
    }
    const run = await readRun({ ...fields, ...(last ? { expect: whole.expect } : {}) }, at, { model, context, nth });
    if (run !== undefined) found.push(run);
  }
  noteRepeats(found, place, notes);
  return { description, runs: found };
}

function noteRepeats(runs: readonly TestRun[], place: string, notes: Notes): void {
  runs.forEach(({ runId }, nth) => {
    if (runs.findIndex((run) => run.runId === runId) === nth) return;
    notes.add(placeIn(placeIn(placeIn(place, 'runs'), nth), 'run_id'), `${showValue(runId)} again`, 'another run_id');
  });
}

type RunFields = {
  readonly given?: unknown;
  readonly expect?: unknown;
  readonly run_date?: string;
  readonly run_id?: string;
  readonly vars?: Readonly<Record<string, unknown>>;
};

async function readRun(
  fields: RunFields,
  place: string,
  { model, context, nth }: { readonly model: ModelSpec; readonly context: TestContext; readonly nth: number },
): Promise<TestRun | undefined> {
  const runId = fields.run_id ?? `run-${nth + 1}`;
  const day = new Date(FIRST_DAY + nth * DAY).toISOString().slice(0, 10);
  const at = instantOf(fields.run_date ?? day, context.spec.timezone);
  const files = `run-${nth + 1}`;
  const given = await readGiven(fields.given, { place: placeIn(place, 'given'), model, files }, context);
  const expected =
    fields.expect === undefined
      ? null
      : await readExpected(fields.expect, { place: placeIn(place, 'expect'), model }, context);
  const vars = await readVarValues(fields.vars ?? {}, placeIn(place, 'vars'), context);
  if (given === undefined || expected === undefined || at === undefined) return undefined;
  return { runId, at, vars, given: given satisfies readonly Given[], expected };
}

const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

/** A date stands for its first instant in the pipeline's zone; a time without a zone is UTC. */
function instantOf(text: string, timezone = 'UTC'): string | undefined {
  if (isDay(text)) return startOfDay(timezone, text).toISOString();
  const [, day, time, zone] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text) ?? [];
  const at = new Date(`${day}T${time ?? '00:00'}${zone ?? 'Z'}`);
  return Number.isNaN(at.getTime()) || (zone === undefined && day !== at.toISOString().slice(0, 10))
    ? undefined
    : at.toISOString();
}
