import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseOpenInput, parseRunState, parseUnitInput } from '../../../lib/runtime/lambda/events.ts';

const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const request = { ...run, wait: true };
const measured = { ms: 12, spent: { get: 1, put: 2, bytes_in: 3, bytes_out: 4 } };
const stage = { units_key: 'ops/shop/runs/r-1/units.json', count: 3 };
const state = { status: 'planned', request, run, level: 0, levels: 2 };
const unit = { run, unit: { level: 1, unit: 'u-7' } };

const TAKEN: readonly (readonly [string, (event: unknown) => unknown, object, object])[] = [
  ['an execution', parseOpenInput, request, request],
  [
    'an execution as the state machine hands it on',
    parseOpenInput,
    {
      state: { ...request, started_by: 'events', ...{ error: { Error: 'x' } } },
      execution: { Id: 'arn:e', Name: 'e' },
    },
    { ...request, started_by: 'events', execution: 'arn:e' },
  ],
  ['an execution by hand', parseOpenInput, { pipeline: 'shop', run_id: 'r-1' }, run],
  ['a rebuild', parseOpenInput, { ...run, rebuild: 'gold.t' }, { ...run, rebuild: 'gold.t' }],
  [
    'files to read again',
    parseOpenInput,
    { ...run, reprocess: { source: 'orders', files: ['a'], from: '2026-01-01', to: '2026-01-02', why: 'x' } },
    { ...run, reprocess: { source: 'orders', files: ['a'], from: '2026-01-01', to: '2026-01-02' } },
  ],
  [
    'selected models',
    parseOpenInput,
    { ...run, select: ['a+', 'tag:x'], exclude: ['b'], shadow: true },
    { ...run, select: ['a+', 'tag:x'], exclude: ['b'], shadow: true },
  ],
  [
    'values of variables and a run date',
    parseOpenInput,
    { ...run, run_date: '2026-01-31', vars: { least: '10.50', days: 3, on: true, since: null } },
    { ...run, run_date: '2026-01-31', vars: { least: '10.50', days: '3', on: 'true', since: null } },
  ],
  ['a run', parseRunState, state, state],
  [
    'a run with its lists of units',
    parseRunState,
    { ...state, stage, merge: stage },
    { ...state, stage, merge: stage },
  ],
  [
    'a run with what planning its merge and publishing it took',
    parseRunState,
    { ...state, merge: { ...stage, ...measured }, commit: measured },
    { ...state, merge: { ...stage, ...measured }, commit: measured },
  ],
  [
    'a run that could not be served',
    parseRunState,
    {
      ...state,
      serves: true,
      serve_error: { Error: 'Unavailable', Cause: '{"errorMessage":"away"}' },
      serving: measured,
    },
    { ...state, serves: true, serve_error: { Error: 'Unavailable', Cause: 'away' }, serving: measured },
  ],
  [
    'a run that was served',
    parseRunState,
    {
      ...state,
      serves: true,
      served: [{ to: 's.t', from: 'gold.t', how: 'whole', rows: 3, snapshot_id: null, more: 1 }],
    },
    { ...state, serves: true, served: [{ to: 's.t', from: 'gold.t', how: 'whole', rows: 3, snapshot_id: null }] },
  ],
  ['a unit', parseUnitInput, unit, unit],
];

/** What Step Functions, a scheduler or a person may put beside them. */
const BESIDE = { AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'arn:x', error: { Error: 'x' }, BatchInput: {} };

for (const [what, parse, event, expected] of TAKEN) {
  test(`${what} is taken, without what stands beside it`, () => {
    assert.deepEqual(parse(event), expected);
    assert.deepEqual(parse({ ...event, ...BESIDE }), expected);
  });
}

type Refused = readonly [string, (event: unknown) => unknown, unknown, RegExp];

const REFUSED: readonly Refused[] = [
  ['nothing', parseOpenInput, null, /^the event is not the input of Open\n.*event: event: got null/],
  ['a text', parseRunState, 'r-1', /^the event is not the input of a run\n.*event: event: got "r-1"/],
  ['no run_id', parseOpenInput, { pipeline: 'shop' }, /event: run_id: got nothing/],
  [
    'no run_id, as handed on',
    parseOpenInput,
    { state: { pipeline: 'p' }, execution: {} },
    /event: run_id: got nothing/,
  ],
  ['a starter that is none', parseOpenInput, { ...run, started_by: 'me' }, /event: started_by: got "me"/],
  ['a flag as text', parseOpenInput, { ...run, dry_run: 'no' }, /event: dry_run: got "no"/],
  ['waiting that is none', parseOpenInput, { ...run, wait: false }, /event: wait: got false/],
  ['a source that is missing', parseOpenInput, { ...run, reprocess: {} }, /event: reprocess\.source: got nothing/],
  ['files that are no list', parseOpenInput, { ...run, reprocess: { source: 's', files: 'a' } }, /files: got "a"/],
  ['an unknown status', parseRunState, { ...state, status: 'odd' }, /event: status: got "odd"/],
  ['a level that is not whole', parseRunState, { ...state, level: 0.5 }, /event: level: got 0\.5/],
  ['units without a count', parseRunState, { ...state, stage: { units_key: 'k' } }, /stage\.count: got nothing/],
  ['a unit without a name', parseUnitInput, { run, unit: { level: 0 } }, /a unit\n.*unit\.unit: got nothing/],
  ['a unit without a run', parseUnitInput, { unit: unit.unit }, /event: run: got nothing/],
];

describe('refused, by the name of the field:', () => {
  for (const [what, parse, event, message] of REFUSED) {
    test(what, () => assert.throws(() => parse(event), { name: 'InvalidInput', message }));
  }

  test('every field that is wrong at once', () => {
    assert.throws(() => parseRunState({ ...state, level: 'x', run: { ...run, run_id: 7 } }), {
      message: /run\.run_id: got 7[\s\S]*level: got "x"/,
    });
  });
});
