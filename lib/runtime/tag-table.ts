import { InvalidInput } from '../core/errors.ts';
import { LOG_SUFFIX, logTable } from '../core/keyed.ts';
import { fullName, type TableId } from '../core/tables.ts';
import type { Change } from '../iceberg/changes.ts';
import { currentSnapshot, findRun, RUN_ID, snapshotById } from '../iceberg/snapshot.ts';
import { removeTag, setTag } from '../iceberg/tags.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type RecordedCommand, recordCommand, recordingFailure } from '../lake/ops/record-command.ts';
import { type FoundTable, findTable } from '../query/find-table.ts';
import { parseMoment, parseTime, snapshotAt } from '../query/moment.ts';
import { changeTable } from '../table/change.ts';
import { loadTable } from '../table/read.ts';
import { runIdOf } from './execute-run.ts';

export type TagRequest = {
  /** By full name. */
  readonly table: string;
  readonly name: string;
  /** A snapshot of the table by its id; left out, with `runId`: the current one. */
  readonly snapshot?: string;
  readonly runId?: string;
  /** The tag goes, and what it has kept may expire. */
  readonly remove?: boolean;
};

export type TagAnswer = {
  readonly name: string;
  readonly removed: boolean;
  /** The table that was asked for and, of a keyed one, its log. */
  readonly tables: readonly { readonly table: string; readonly snapshot_id: string }[];
};

/** A name that no snapshot id and no time looks like. */
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,127}$/;

/**
 * Gives a snapshot of a table a name, so that it does not expire, or takes the name away; a keyed table together with its
 * log. Doing it again does nothing. Throws InvalidInput for unknown tables and snapshots, for a name that is no tag's and for
 * one that another snapshot, a branch or a run of the table has.
 */
export async function tagTable(deps: StepDeps, request: TagRequest): Promise<TagAnswer> {
  const { name, remove = false } = request;
  const table = await findTable(deps.catalog, request.table);
  if (!NAME.test(name) || parseTime(name) !== undefined) {
    throw new InvalidInput(
      `not a tag: got ${JSON.stringify(name)}; expected a letter, then at most 127 letters, digits, '.', '_' or '-'`,
    );
  }
  const command: RecordedCommand = {
    ...{ pipeline: table.id.pipeline, run_id: runIdOf(deps, 'tag'), kind: 'tag' },
    created_at: deps.clock.now().toISOString(),
  };
  return recordingFailure(deps, command, async () => {
    const answer = await (remove ? removeTags(deps, table, name) : setTags(deps, table, request));
    await recordCommand(deps, command, 0);
    return answer;
  });
}

async function setTags(deps: StepDeps, table: FoundTable, request: TagRequest): Promise<TagAnswer> {
  const { name } = request;
  const snapshot = chosenSnapshot(table, request);
  const log = await logOf(deps, table.id);
  const targets = [{ table, snapshot }];
  if (log !== undefined) targets.push({ table: log, snapshot: await sameMoment(deps, log, table, snapshot) });
  for (const target of targets) checkFree(target.table, name, target.snapshot);
  for (const target of targets) {
    await changeTable(deps, target.table.id, ({ metadata }) =>
      tagging(target.table.id, metadata, name, target.snapshot),
    );
  }
  const tables = targets.map((one) => ({
    table: fullName(one.table.id),
    snapshot_id: one.snapshot['snapshot-id'].toString(),
  }));
  return { name, removed: false, tables };
}

function tagging(id: TableId, metadata: TableMetadata, name: string, snapshot: Snapshot): Change | undefined {
  checkFree({ id, metadata }, name, snapshot);
  if (metadata.refs?.[name]?.['snapshot-id'] === snapshot['snapshot-id']) return undefined;
  return setTag(metadata, name, snapshot['snapshot-id']);
}

async function removeTags(deps: StepDeps, table: FoundTable, name: string): Promise<TagAnswer> {
  const log = await logOf(deps, table.id);
  const removed: { table: string; snapshot_id: string }[] = [];
  for (const one of [table, ...(log === undefined ? [] : [log])]) {
    const ref = one.metadata.refs?.[name];
    if (ref?.type !== 'tag') continue;
    await changeTable(deps, one.id, ({ metadata }) =>
      metadata.refs?.[name] === undefined ? undefined : removeTag(metadata, name),
    );
    removed.push({ table: fullName(one.id), snapshot_id: ref['snapshot-id'].toString() });
  }
  if (removed.length > 0) return { name, removed: true, tables: removed };
  const known = Object.entries(table.metadata.refs ?? {}).flatMap(([tag, { type }]) => (type === 'tag' ? [tag] : []));
  throw new InvalidInput(
    `${fullName(table.id)} has no tag ${JSON.stringify(name)}: expected one of ${known.join(', ') || '(it has none)'}`,
  );
}

function chosenSnapshot({ id, metadata }: FoundTable, { snapshot, runId }: TagRequest): Snapshot {
  if (snapshot !== undefined && runId !== undefined) {
    throw new InvalidInput(
      'which snapshot is meant: got --snapshot and --run; expected one of them, or none for the current one',
    );
  }
  const [found, what] = lookUp(metadata, snapshot, runId);
  if (found !== undefined) return found;
  throw new InvalidInput(`${fullName(id)} has no ${what}; strata history ${fullName(id)} lists those that it has`);
}

function lookUp(
  metadata: TableMetadata,
  snapshot: string | undefined,
  runId: string | undefined,
): readonly [Snapshot | undefined, string] {
  if (runId !== undefined) return [findRun(metadata, runId), `snapshot of run ${runId}`];
  if (snapshot === undefined) return [currentSnapshot(metadata), 'snapshot at all'];
  const id = /^\d{1,19}$/.test(snapshot) ? BigInt(snapshot) : undefined;
  return [id === undefined ? undefined : snapshotById(metadata, id), `snapshot ${snapshot}`];
}

/** The log of a keyed table. */
export async function logOf(deps: Pick<StepDeps, 'catalog'>, id: TableId): Promise<FoundTable | undefined> {
  if (id.layer !== 'silver' || id.name.endsWith(LOG_SUFFIX)) return undefined;
  const entry = await loadTable(deps.catalog, logTable(id));
  return entry && { ...entry, id: logTable(id) };
}

/** What a log was when its table was at a snapshot. Throws InvalidInput where that has expired. */
export async function sameMoment(
  deps: StepDeps,
  log: FoundTable,
  table: FoundTable,
  snapshot: Snapshot,
): Promise<Snapshot> {
  const runId = snapshot.summary[RUN_ID];
  const own = runId === undefined ? undefined : findRun(log.metadata, runId);
  if (own !== undefined) return own;
  const text = snapshot['snapshot-id'].toString();
  const moment = await parseMoment(deps.catalog, text, [table]);
  return snapshotAt(log, moment);
}

function checkFree({ id, metadata }: Pick<FoundTable, 'id' | 'metadata'>, name: string, snapshot: Snapshot): void {
  const ref = metadata.refs?.[name];
  if (name === 'main' || ref?.type === 'branch') {
    throw new InvalidInput(`${fullName(id)}: ${name} is a branch; expected another name for a tag`);
  }
  if (findRun(metadata, name) !== undefined) {
    throw new InvalidInput(
      `${fullName(id)}: ${name} is the id of a run, which --as-of takes as it is; expected another name for a tag`,
    );
  }
  if (ref === undefined || ref['snapshot-id'] === snapshot['snapshot-id']) return;
  throw new InvalidInput(
    `${fullName(id)}: tag ${name} names snapshot ${ref['snapshot-id']}; got snapshot ${snapshot['snapshot-id']}. Take the name away ` +
      `first: strata tag ${fullName(id)} ${name} --delete`,
  );
}
