import { personalColumns } from '../compile/personal.ts';
import { dedupesByHash, ROW_HASH } from '../core/dedupe.ts';
import { StrataError } from '../core/errors.ts';
import { isKeyed, KEY_HASH } from '../core/keyed.ts';
import { maskRow } from '../core/personal.ts';
import { withRunDate } from '../core/run-date.ts';
import type { Expectation, ExpectationPolicy, ModelSpec, PipelineSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import { fullName } from '../core/tables.ts';
import { expectsOf } from '../core/test-fact.ts';
import type { VarValues } from '../core/vars.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { modelState } from '../lake/ops/model-state.ts';
import { ofPipeline } from '../lake/run/personal-errors.ts';
import { bindVars, knowingVars } from '../lake/run/vars.ts';
import { openAudited } from '../lake/tables/audited.ts';
import { tableIdOf } from '../lake/tables/table-state.ts';
import { asksForState, type Selectors, selectModels } from '../plan/select-models.ts';
import type { Row, Session } from '../ports.ts';
import { countOffending, nameOf, offendingRows, sampleOffending, THIS } from '../sql/audit.ts';
import { renderBreaches } from '../sql/breaches.ts';
import { loadTable } from '../table/read.ts';

/** What became of one expectation on a table as it is. */
export type Checked = {
  readonly pipeline: string;
  /** The model's id. */
  readonly model: string;
  /** By full name. */
  readonly table: string;
  readonly expectation: string;
  /** `invariant`: what holds of every keyed table, without being asked for. */
  readonly kind: Expectation['kind'] | 'invariant';
  readonly policy: ExpectationPolicy;
  /** What is expected, in the words of the pipeline. */
  readonly expects: string;
  /** `error`: it could not be evaluated. `no table`: there is nothing yet that it could hold for. */
  readonly status: 'holds' | 'fails' | 'error' | 'no table';
  /** Rows, or repeated keys, that offend; of `rowCount` 1. Null where that is not known. */
  readonly offending: number | null;
  /** Some of them. */
  readonly sample: readonly Row[];
  readonly error: string | null;
};

export type CheckRequest = Selectors & {
  readonly vars?: VarValues;
  /** Shows what is personal in samples. */
  readonly showPersonal?: boolean;
};

const SAMPLE = 3;

/**
 * Evaluates every expectation of a pipeline's models on the tables as they are now, each for itself, so that one that fails
 * hides no other. Takes no lock and writes nothing. Throws InvalidInput for selectors that name nothing and for variables that
 * the pipeline lacks.
 */
export async function checkTables(
  deps: StepDeps,
  pipeline: string,
  { vars, showPersonal = false, ...selectors }: CheckRequest = {},
): Promise<readonly Checked[]> {
  const { spec, selected } = await selectChecked(deps, pipeline, selectors, vars ?? {});
  const knowing = showPersonal ? knowingVars(deps, spec) : ofPipeline(deps, spec);
  const checked: Checked[] = [];
  for (const model of spec.models.filter(({ id }) => selected.has(id))) {
    checked.push(...(await checkModel(knowing, spec, model, !showPersonal)));
  }
  return checked;
}

type Hidden = (column: string) => boolean;

/**
 * What a sample does not show. A query names its columns as it likes: those that are no columns of the table are hidden, and
 * so are those that have the name of one and follow from what is personal.
 */
async function hiddenOf(session: Session, { columns, personal }: ModelSpec, check: Check): Promise<Hidden> {
  if (personal === undefined) return () => false;
  const open = new Set(columns.map(({ name }) => name).filter((name) => !personal.includes(name)));
  if (check.kind === 'unique' || check.kind === 'rowCount') open.add('rows');
  if (check.query !== undefined) {
    const given = await session.describe(sampleOffending(check.statement, check.offending, SAMPLE));
    const names = new Set(personal.map((name) => name.toLowerCase()));
    const tree = await session.parse(check.query);
    const read = given.map(({ name }) => name);
    // It reads this table alone.
    for (const name of personalColumns(tree, read, () => names)) open.delete(name);
  }
  return (name) => !open.has(name);
}

async function selectChecked(
  deps: StepDeps,
  pipeline: string,
  selectors: Selectors,
  vars: VarValues,
): Promise<{ readonly spec: PipelineSpec; readonly selected: ReadonlySet<string> }> {
  await using session = await deps.engine.open(deps.settings);
  const spec = withRunDate(await bindVars(session, await deps.specs(pipeline), vars), deps.clock.now());
  const state = asksForState(selectors) ? await modelState(deps, session, spec) : undefined;
  return { spec, selected: new Set(selectModels(spec, selectors, state)) };
}

/** What a table is checked for. */
type Check = Pick<Checked, 'expectation' | 'kind' | 'policy' | 'expects'> & {
  readonly statement: string;
  readonly offending: Sql;
  /** The same in a session that is guarded, in which a row of which a condition raises offends. */
  readonly guarded?: Sql;
  /** Of an expectation that is one. */
  readonly query?: string;
};

function checksOf(model: ModelSpec): readonly Check[] {
  const own = model.expect.map((expectation) => ({
    expectation: expectation.name,
    kind: expectation.kind,
    policy: expectation.policy,
    expects: expectsOf(expectation),
    statement: nameOf(expectation),
    offending: offendingRows(expectation),
    ...(expectation.kind === 'row' ? { guarded: offendingRows(expectation, true) } : {}),
    ...(expectation.kind === 'sql' ? { query: expectation.query } : {}),
  }));
  if (!isKeyed(model)) return own;
  const versions = model.mode.kind === 'scd2';
  const invariant: Check = {
    expectation: versions ? 'versions follow each other' : 'one row for each key',
    kind: 'invariant',
    policy: 'fail',
    expects: versions
      ? 'of a key at most one open version, which is the last, and none that overlaps another'
      : 'at most one row of a key',
    statement: 'invariants',
    offending: renderBreaches(model.mode, THIS),
  };
  return [...own, invariant];
}

async function checkModel(
  deps: StepDeps,
  spec: PipelineSpec,
  model: ModelSpec,
  hides: boolean,
): Promise<readonly Checked[]> {
  const checks = checksOf(model);
  if (checks.length === 0) return [];
  const id = tableIdOf(spec, model);
  const answer = (check: Check, found: Found): Checked => {
    const { statement: _statement, offending: _offending, guarded: _guarded, query: _query, ...said } = check;
    return { pipeline: spec.name, model: model.id, table: fullName(id), ...said, ...found };
  };
  try {
    const metadata = (await loadTable(deps.catalog, id))?.metadata;
    if (metadata === undefined) return checks.map((check) => answer(check, NO_TABLE));
    const found = await findAll(deps, { model, metadata, hides }, checks);
    return checks.map((check, at) => answer(check, found[at] ?? NO_TABLE));
  } catch (cause) {
    // A table that cannot be read says nothing of the others.
    return checks.map((check) => answer(check, errorOf(cause)));
  }
}

type Found = Pick<Checked, 'status' | 'offending' | 'sample' | 'error'>;

const NO_TABLE: Found = { status: 'no table', offending: null, sample: [], error: null };
const HOLDS: Found = { status: 'holds', offending: 0, sample: [], error: null };

function errorOf(cause: unknown): Found {
  if (!(cause instanceof StrataError)) throw cause;
  // The rest shows the SQL around the user's.
  const error = cause.message.split('\n\nLINE ')[0] ?? cause.message;
  return { status: 'error', offending: null, sample: [], error };
}

type Looking = { readonly model: ModelSpec; readonly metadata: TableMetadata; readonly hides: boolean };

/** An error may have cost the session, so that what comes after it has another. */
async function findAll(deps: StepDeps, looking: Looking, checks: readonly Check[]): Promise<readonly Found[]> {
  const { model, metadata, hides } = looking;
  const found: Found[] = [];
  while (found.length < checks.length) {
    await using session = await deps.engine.open(deps.settings);
    await using _audited = await openAudited(deps.store, session, model, metadata);
    for (const check of checks.slice(found.length)) {
      const one = await findOffending(session, model, check, hides);
      found.push(one.status === 'error' ? ((await findGuarded(deps, looking, check)) ?? one) : one);
      if (one.status === 'error') break;
    }
  }
  return found;
}

/** The rows that break a condition, those of which it raises among them; undefined where these cannot be told. */
async function findGuarded(
  deps: StepDeps,
  { model, metadata, hides }: Looking,
  { guarded, ...check }: Check,
): Promise<Found | undefined> {
  if (guarded === undefined) return undefined;
  await using session = await deps.engine.open({ ...deps.settings, guarded: true });
  await using _audited = await openAudited(deps.store, session, model, metadata);
  const found = await findOffending(session, model, { ...check, offending: guarded }, hides);
  return found.status === 'error' ? undefined : found;
}

async function findOffending(session: Session, model: ModelSpec, check: Check, hides: boolean): Promise<Found> {
  const { statement, offending } = check;
  try {
    const [counted] = await session.rows(countOffending(statement, offending));
    const broken = Number(counted?.['broken']);
    if (broken === 0) return HOLDS;
    const sample = await session.rows(sampleOffending(statement, offending, SAMPLE));
    const hidden: Hidden = hides ? await hiddenOf(session, model, check) : () => false;
    const rows = sample.map((row) => maskRow(shown(model, row), hidden));
    return { status: 'fails', offending: broken, sample: rows, error: null };
  } catch (cause) {
    return errorOf(cause);
  }
}

/** Without the columns that only tell rows and keys apart. */
function shown(model: ModelSpec, row: Row): Row {
  const hidden = new Set([KEY_HASH, ...(model.layer === 'silver' && dedupesByHash(model) ? [ROW_HASH] : [])]);
  return Object.fromEntries(Object.entries(row).filter(([name]) => !hidden.has(name)));
}
