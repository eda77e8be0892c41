import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { Sink, SinkOutcome, SinkRun } from '../../ports.ts';
import {
  begin,
  COMMIT,
  createPlaces,
  findPlaces,
  ROLLBACK,
  selectLatest,
  selectServed,
  takeTable,
  takeTurn,
} from '../../sql/postgres/books.ts';
import type { Connection, PostgresPlace } from './client.ts';
import { connectPostgres } from './connect.ts';
import { type Served, serveTable } from './serve-table.ts';
import { checkTargets, type Targets } from './targets.ts';

/**
 * Tables of a schema of PostgreSQL. A run is one transaction: it waits for its turn, looks into the book of what was served, copies
 * rows into tables of its own and from these into those that others read. Where no answer to its end comes, it is begun again, and finds
 * in the book what has become of it.
 */
export function createPostgresSink(given: PostgresPlace, connect = connectPostgres): Sink {
  return {
    async publish(run) {
      const place = run.hidesValues === true ? { ...given, hidesValues: true } : given;
      const first = await publishOnce(await connect(place), run);
      if (first !== 'unanswered') return first;
      const second = await publishOnce(await connect(place), run);
      if (second !== 'unanswered') return second;
      throw new Unavailable(`the PostgreSQL of the secret ${place.secret} has twice not said how a transaction ended`);
    },
  };
}

type Published = readonly SinkOutcome[] | 'unanswered';

async function publishOnce(connection: Connection, run: SinkRun): Promise<Published> {
  await using _connection = connection;
  const seen = await checkTargets(connection, run);
  for (const statement of begin()) await connection.run(statement);
  try {
    await connection.run(takeTurn(run.pipeline));
    await run.requireHeld();
    const [places] = await connection.run(findPlaces(run.schema));
    if (places?.['book'] !== true) {
      for (const statement of createPlaces(run.schema, places?.['schema'] === true)) await connection.run(statement);
    }
    const before = await servedBefore(connection, run);
    if (before !== undefined) {
      await connection.run(ROLLBACK);
      return before;
    }
    const outcomes = await serveAll(connection, run, await settleTargets(connection, run, seen));
    return await end(connection, outcomes);
  } catch (cause) {
    // The first fault is the one to tell of, and a connection that ends undoes what it has not ended.
    await connection.run(ROLLBACK).catch(() => {});
    throw cause;
  }
}

/** `unanswered`: it may have ended well or not at all. */
async function end(connection: Connection, outcomes: readonly SinkOutcome[]): Promise<Published> {
  try {
    await connection.run(COMMIT);
    return outcomes;
  } catch (cause) {
    if (cause instanceof Unavailable) return 'unanswered';
    throw cause;
  }
}

async function servedBefore(connection: Connection, run: SinkRun): Promise<readonly SinkOutcome[] | undefined> {
  const rows = await connection.run(selectServed(run.schema, run.pipeline, run.run_id));
  if (rows.length === 0) return undefined;
  return rows.map((row) => ({
    name: String(row['table']),
    how: 'before',
    rows: Number(row['rows']),
    snapshot_id: row['snapshot_id'] === null ? null : String(row['snapshot_id']),
  }));
}

/**
 * Another may make the same tables, or give them columns, at the same time: two pipelines that add to one, or two runs. One after the
 * other, in the order of names, they look again at what is there by then.
 */
async function settleTargets(connection: Connection, run: SinkRun, seen: Targets): Promise<Targets> {
  const changed = [...seen].filter(([, target]) => target.kind === 'made' || target.added.length > 0);
  if (changed.length === 0) return seen;
  for (const name of changed.map(([name]) => name).sort()) await connection.run(takeTable(run.schema, name));
  return checkTargets(connection, run);
}

async function serveAll(connection: Connection, run: SinkRun, targets: Targets): Promise<readonly SinkOutcome[]> {
  const latest = new Map<string, Served>();
  for (const row of await connection.run(selectLatest(run.schema, run.pipeline))) {
    const snapshot = row['snapshot_id'];
    latest.set(String(row['table']), {
      run_id: String(row['run_id']),
      snapshot_id: snapshot === null ? null : String(snapshot),
    });
  }
  const outcomes: SinkOutcome[] = [];
  for (const [at, table] of run.tables.entries()) {
    const target = targets.get(table.name);
    if (target === undefined) throw new InvalidInput(`nothing was found out about ${run.schema}.${table.name}`);
    outcomes.push(await serveTable(connection, run, { table, target, at, latest: latest.get(table.name) }));
  }
  return outcomes;
}
