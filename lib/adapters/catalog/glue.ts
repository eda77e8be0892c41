import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GlueClient, Table } from '@aws-sdk/client-glue';
import { InvalidInput, ObjectNotFound, StrataError, UnreadableTable } from '../../core/errors.ts';
import { type Database, databaseOf, fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Catalog, CatalogEntry, Clock, ObjectStore } from '../../ports.ts';
import type { MetadataCodec } from './file.ts';
import type { Patience } from './glue-calls.ts';
import { conflict, type SwapDeps, swapMetadata } from './glue-swap.ts';
import { metadataLocationOf } from './glue-table-input.ts';
import { type GlueTables, openGlueTables } from './glue-tables.ts';

export type GlueCatalogOptions = {
  readonly client: GlueClient;
  readonly store: ObjectStore;
  readonly codec: MetadataCodec;
  /** Before the name of every database: '' or `<stage>_`. */
  readonly databasePrefix: string;
  /** Resolves after so many milliseconds. */
  readonly wait?: (ms: number) => Promise<void>;
  readonly clock?: Clock;
  /** Numbers from 0 to below 1, for the jitter of pauses. */
  readonly random?: () => number;
  readonly uuid?: () => string;
};

/**
 * Tables in the AWS Glue Data Catalog as Athena, Spark and PyIceberg read them: database `<prefix><pipeline>_<layer>`,
 * metadata in `<table>/metadata/<version>-<uuid>.metadata.json`. A commit writes that file, then swaps the table's
 * pointer on the version of the Glue table that was seen at the base. An entry's `version` is its metadata location,
 * which is never used twice. Throttling and passing faults are asked again with back-off for a minute; errors are
 * InvalidInput for what must be granted or deployed, else Unavailable.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html (VersionId, SkipArchive),
 * https://iceberg.apache.org/docs/latest/aws/#glue-catalog
 */
export function createGlueCatalog(options: GlueCatalogOptions): Catalog {
  const { client, store, codec, databasePrefix, uuid = randomUUID } = options;
  const patience: Patience = {
    wait: options.wait ?? sleep,
    clock: options.clock ?? { now: () => new Date() },
    random: options.random ?? Math.random,
  };
  const tables = openGlueTables(client, databasePrefix, patience);
  const committed = new Set<string>();
  const deps: SwapDeps = {
    tables,
    patience,
    readMetadata: async (id, location) => parse(codec, id, location, (await store.read(store.key(location))).bytes),
  };

  return {
    async load(id) {
      return loadEntry(tables, store, codec, id, committed.has(fullName(id)));
    },

    async commit(id, base, next) {
      const text = codec.render(next);
      const found = await tables.find(id, base !== undefined);
      const current = found && pointerOf(id, found);
      if (current !== base?.metadataLocation) {
        const repeated = current !== undefined && sameText(await bytesOrNothing(store, current), text);
        if (repeated) return entryOf(next, current);
        throw conflict(id, current, base);
      }
      const key = metadataKey(id, current, uuid());
      const location = store.location(key);
      await store.write(key, new TextEncoder().encode(text), { kind: 'any' });
      const outcome = await swapMetadata(deps, { id, base, next, location }, found);
      if (outcome.kind === 'not-swapped') await store.remove(key).catch(ignoreFault);
      if (outcome.kind !== 'swapped') throw outcome.error;
      committed.add(fullName(id));
      return entryOf(next, location);
    },

    async list(only, ignore = () => false) {
      const found: TableId[] = [];
      const all = only === undefined ? await tables.databases() : [`${databasePrefix}${databaseOf(only)}`];
      for (const database of all) {
        const parts = parseDatabase(database, databasePrefix);
        if (parts === undefined) continue;
        const ids = (await tables.tablesIn(database)).map((table) => ownId(store, parts, table));
        found.push(...ids.filter((id) => id !== undefined).filter((id) => !ignore(id.name)));
      }
      return found;
    },

    async drop(id) {
      await tables.remove(id);
      committed.delete(fullName(id));
    },

    // A table that is made again points to a file of a new name.
    async tombstone() {
      return undefined;
    },
  };
}

function entryOf(metadata: TableMetadata, metadataLocation: string): CatalogEntry {
  return { metadata, metadataLocation, version: metadataLocation };
}

async function loadEntry(
  tables: GlueTables,
  store: ObjectStore,
  codec: MetadataCodec,
  id: TableId,
  expected: boolean,
): Promise<CatalogEntry | undefined> {
  let missing: string | undefined;
  for (;;) {
    const table = await tables.find(id, expected);
    if (table === undefined) return undefined;
    const location = pointerOf(id, table);
    const bytes = await bytesOrNothing(store, location);
    if (bytes !== undefined) return entryOf(parse(codec, id, location, bytes), location);
    if (location === missing) throw unreadable(id, location, 'there is no such file');
    // A commit may have moved the pointer and trimmed the file between the two reads.
    missing = location;
  }
}

/** Throws InvalidInput for a Glue table of that name that isn't an Iceberg table. */
function pointerOf(id: TableId, table: Table): string {
  const location = metadataLocationOf(table);
  if (location !== undefined) return location;
  const type = table.Parameters?.['table_type'] ?? table.TableType ?? 'unknown';
  throw new InvalidInput(
    `${table.DatabaseName}.${table.Name} in the Glue Data Catalog is not an Iceberg table: got the table type ${type}; ` +
      `expected table_type=ICEBERG with a metadata_location; drop that table or give ${fullName(id)} another name`,
  );
}

/** `<5 digits>-<uuid>.metadata.json`, counting from the base's number, as Iceberg's catalogs name the files. */
function metadataKey(id: TableId, base: string | undefined, uuid: string): string {
  const digits = /\/v?(\d+)[^/]*\.metadata\.json(\.gz)?$/.exec(base ?? '')?.[1];
  const number = digits === undefined ? 0 : Number(digits) + 1;
  return `${tablePrefix(id)}/metadata/${String(number).padStart(5, '0')}-${uuid}.metadata.json`;
}

function parseDatabase(database: string, prefix: string): Database | undefined {
  if (!database.startsWith(prefix)) return undefined;
  const found = /^([a-z][a-z0-9_]*)_(silver|gold|ops)$/.exec(database.slice(prefix.length));
  const [, pipeline, layer] = found ?? [];
  return pipeline === undefined ? undefined : { pipeline, layer: layer as TableId['layer'] };
}

/**
 * The table's id if its metadata lies where this store keeps it. Without a stage, `dev_shop_silver` reads like a
 * pipeline `dev_shop`; only the place tells that it is the stage dev's `shop`.
 */
function ownId(store: ObjectStore, parts: Database, table: Table): TableId | undefined {
  const location = metadataLocationOf(table);
  if (location === undefined || table.Name === undefined) return undefined;
  const id = { ...parts, name: table.Name };
  return location.startsWith(store.location(`${tablePrefix(id)}/metadata/x`).slice(0, -1)) ? id : undefined;
}

async function bytesOrNothing(store: ObjectStore, location: string): Promise<Uint8Array | undefined> {
  try {
    return (await store.read(store.key(location))).bytes;
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

function sameText(bytes: Uint8Array | undefined, text: string): boolean {
  return bytes !== undefined && Buffer.compare(bytes, new TextEncoder().encode(text)) === 0;
}

/** Other engines may have gzipped the file. */
function parse(codec: MetadataCodec, id: TableId, location: string, bytes: Uint8Array): TableMetadata {
  try {
    return codec.parse(bytes);
  } catch (cause) {
    throw unreadable(id, location, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreadable(id: TableId, location: string, reason: string, cause?: unknown): UnreadableTable {
  return new UnreadableTable(
    `cannot read ${fullName(id)}: ${location}: ${reason}. Put back a whole copy of the file (an earlier version of the ` +
      "object, where the bucket keeps them), or point the table's metadata_location in Glue to an older metadata file",
    { cause },
  );
}

function ignoreFault(cause: unknown): void {
  if (!(cause instanceof StrataError)) throw cause;
}
