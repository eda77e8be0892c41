import { z } from 'zod';
import { isTimezone } from '../core/run-date.ts';
import { type Branch, CATCHUPS } from '../core/schedule/branch.ts';
import { CRON_EXPECTED, parseCron } from '../core/schedule/cron.ts';
import { modelId, type SourceSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import type { ModelDraft, ParsedModel, SourceDraft } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';

/** Names of runs, of objects and of schedules on AWS have it. */
const BRANCH_NAME = /^[a-z][a-z0-9_]{0,29}$/;

export const SCHEDULES_EXPECTED = "branches by name, such as { daily: cron('0 7 * * *') }";

const SCHEDULE = {
  cron: {
    schema: z.string().refine((text) => parseCron(text) !== undefined),
    expected: CRON_EXPECTED,
    required: true,
  },
  zone: { schema: z.string().refine(isTimezone), expected: "a time zone by its IANA name, such as 'Europe/Berlin'" },
  catchup: { schema: z.enum(CATCHUPS), expected: "'all', 'last' or 'none'" },
} as const satisfies Record<string, Field>;

/** The branches that a pipeline says it has; what is wrong is noted and left out. */
export function readSchedules(value: unknown, timezone: string, notes: Notes): readonly Branch[] {
  return Object.entries(isRecord(value) ? value : {}).flatMap(([name, given]) => {
    const place = placeIn('schedules', name);
    if (!BRANCH_NAME.test(name)) {
      notes.add(place, showValue(name), 'a name of at most 30 lower case letters, digits and _, a letter first');
    }
    const schedule = typeof given === 'string' ? { cron: given } : given;
    const read = readFields(SCHEDULE, schedule, place, "cron('0 7 * * *')", notes);
    if (read?.cron === undefined) return [];
    return [{ name, cron: read.cron, zone: read.zone ?? timezone, catchup: read.catchup ?? 'last' }];
  });
}

/** The branch of a model: its own, or that of the source that it is made from. */
export function branchFor(
  { branch }: Pick<ModelDraft, 'branch'>,
  source: Pick<SourceSpec, 'branch'> | undefined,
): string | undefined {
  return branch ?? source?.branch;
}

type Branching = {
  readonly declared: readonly string[];
  readonly sources: readonly SourceDraft[];
  readonly models: readonly ModelDraft[];
};

/** Notes branches that there are not, and models that are to run without the source that they are made from. */
export function checkBranches({ declared, sources, models }: Branching, notes: Notes): void {
  const named = [
    ...sources.map(({ spec, place }) => ({ branch: spec.branch, place })),
    ...models.flatMap(({ branch, place, exports }) => [
      { branch, place },
      ...exports.map((one) => ({ branch: one.branch, place: placeIn(placeIn(place, 'export'), one.kind) })),
    ]),
  ];
  for (const { branch, place } of named) {
    if (branch === undefined || declared.includes(branch)) continue;
    notes.add(placeIn(place, 'branch'), showValue(branch), oneOf(branch, declared));
  }
  for (const model of models) {
    const source = sources.find(({ spec }) => spec.name === model.from)?.spec;
    if (model.branch === undefined || source?.branch === undefined || model.branch === source.branch) continue;
    const expected = `${showValue(source.branch)}, the branch of its source, or none`;
    notes.add(placeIn(model.place, 'branch'), showValue(model.branch), expected);
  }
}

/**
 * Notes silver models that join a table of another branch: rows are made once, and would lack what has landed for that table and
 * waits for its branch.
 */
export function checkJoinedBranches(
  parsed: ReadonlyMap<string, ParsedModel>,
  sources: ReadonlyMap<string, SourceDraft>,
  notes: Notes,
): void {
  const branches = new Map(
    [...parsed].map(([id, { draft }]) => [id, branchFor(draft, sources.get(draft.from ?? '')?.spec)]),
  );
  for (const [id, { draft, reads }] of parsed) {
    if (draft.ref.layer !== 'silver') continue;
    const own = branches.get(id);
    for (const read of reads) {
      const other = branches.get(modelId(read));
      if (other === undefined || other === own) continue;
      const expected = `a table that is in each of its runs: of ${own === undefined ? 'no branch' : `branch ${own} or of none`}`;
      notes.add(placeIn(draft.place, 'sql'), `a join of ${modelId(read)} of branch ${showValue(other)}`, expected);
    }
  }
}
