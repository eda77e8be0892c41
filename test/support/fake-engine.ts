import type { PartitionField } from '../../lib/core/spec.ts';
import type { Progress, Shown, SqlEngine } from '../../lib/core/sql-engine.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { parseTransform } from '../../lib/iceberg/transforms.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { dataFilesOf } from '../../lib/lake/files/data-files.ts';
import { stageFiles } from '../../lib/lake/files/stage-files.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import { userSql, userTerm } from '../../lib/sql/user-sql.ts';
import { prepareSnapshot } from '../../lib/table/prepare.ts';

/** What a test may have an engine do otherwise. */
export type Faults = {
  /** What a look at a statement says, by how often it has been looked at; undefined: what became of it. */
  readonly look?: (statement: string, looks: number) => Progress | undefined;
  /** The statement that the engine does in the place of one that it was given. */
  readonly does?: (statement: string) => string;
  /** Present: files that were written are entered as deletes as well. */
  readonly deletes?: true;
  /** The table as the engine leaves it after a statement. */
  readonly leaves?: (metadata: TableMetadata) => TableMetadata;
};

export type FakeEngine = SqlEngine<TableMetadata> & {
  /** The statements that were begun, by their tokens. */
  readonly begun: ReadonlyMap<string, string>;
  readonly known: ReadonlyMap<string, Shown<TableMetadata>>;
  /** Statements that it was asked to stop. */
  readonly stopped: readonly string[];
};

/**
 * Stands for Trino: takes the same statements over the same tables, and writes files, manifests and metadata where it was shown a
 * table. Behind it is DuckDB, by whose functions the few of Trino that the statements have are spelled.
 */
export function createFakeEngine(lake: StepDeps, faults: Faults = {}): FakeEngine {
  const known = new Map<string, Shown<TableMetadata>>();
  const begun = new Map<string, string>();
  const ends = new Map<string, Progress>();
  const looks = new Map<string, number>();
  const stopped: string[] = [];
  return {
    title: 'Trino (a fake)',
    dialect: 'trino',
    place: ['fake'],
    begun,
    known,
    stopped,
    async show(table) {
      if (!known.has(table.name)) known.set(table.name, table);
    },
    shown: async (name) => known.get(name)?.metadataLocation,
    names: async (prefix) => [...known.keys()].filter((name) => name.startsWith(prefix)),
    async hide(names) {
      for (const name of names) known.delete(name);
    },
    async start(statement, token) {
      if (begun.has(token)) return token;
      begun.set(token, statement);
      ends.set(token, await insert(lake, known, statement, faults));
      return token;
    },
    async look(id) {
      const count = (looks.get(id) ?? 0) + 1;
      looks.set(id, count);
      return (
        faults.look?.(begun.get(id) ?? '', count) ?? ends.get(id) ?? { kind: 'failed', reason: 'no such statement' }
      );
    },
    async cancel(id) {
      stopped.push(id);
    },
  };
}

async function insert(
  lake: StepDeps,
  known: Map<string, Shown<TableMetadata>>,
  statement: string,
  { leaves = (metadata) => metadata, does = (given) => given, deletes }: Faults,
): Promise<Progress> {
  const [, name = '', query = ''] = /^INSERT INTO "fake"\."(\w+)" \([^)]*\) ([\s\S]*)$/.exec(does(statement)) ?? [];
  const table = known.get(name);
  if (table === undefined) return { kind: 'refused', reason: `there is no table ${name}` };
  await using session = await lake.engine.open({ ...lake.settings, folders: undefined });
  const text = query
    .replaceAll(/ FOR VERSION AS OF \d+/g, '')
    .replaceAll('typeof(', 'trino_type(')
    .replaceAll(
      /CAST\(CASE (WHEN[\s\S]*?) ELSE 'true' END AS boolean\)/g,
      "(CASE $1 ELSE 'true' END = 'true' OR error(CASE $1 ELSE '' END))",
    );
  try {
    await session.run({ name: 'types', text: userSql(TYPES) });
    await session.run({ name: 'schema', text: userSql('CREATE SCHEMA fake') });
    for (const { name: view, metadata } of known.values())
      await openTable(
        lake.store,
        session,
        { schema: 'fake', table: view },
        metadata,
        columnsOf(currentSchema(metadata)),
      );
    const { metadata } = table;
    const [schema, spec] = [currentSchema(metadata), currentSpec(metadata)];
    const prefix = lake.store.key(metadata.location).split('/');
    const [layer, pipeline = '', ...rest] = prefix;
    const target = {
      id: name,
      table: { layer: layer as 'gold', pipeline, name: rest.join('/') },
      columns: columnsOf(schema),
      partitionBy: spec.fields.flatMap((field): PartitionField[] => {
        const transform = parseTransform(field.transform);
        const column = schema.fields.find(({ id }) => id === field['source-id'])?.name ?? '';
        return transform === undefined || transform.kind === 'void' ? [] : [{ column, transform }];
      }),
      sortBy: [],
      schema,
      spec,
      create: undefined,
      alter: undefined,
    };
    const folder = `${lake.settings.scratch}/${lake.ids.unique()}`;
    const { placed } = await stageFiles(
      session,
      { from: userTerm(text), target, folder, fileBytes: 1e8, stem: 'engine' },
      lake,
    );
    const prepared = await prepareSnapshot(lake.store, {
      base: { metadata, metadataLocation: table.metadataLocation },
      added: dataFilesOf(lake.store, placed, target),
      ...(deletes && { addedDeletes: dataFilesOf(lake.store, placed, target) }),
      remove: { kind: 'nothing' },
      snapshotId: lake.ids.snapshot(),
      nowMs: lake.clock.now().getTime(),
      unique: lake.ids.unique(),
      summary: {},
    });
    const next = leaves(parseMetadata(renderMetadata(prepared.metadata)));
    const metadataLocation = `${metadata.location}/metadata/00001-${lake.ids.unique()}.metadata.json`;
    await lake.store.write(lake.store.key(metadataLocation), new TextEncoder().encode(renderMetadata(next)), {
      kind: 'absent',
    });
    known.set(name, { name, metadata: next, metadataLocation });
    return { kind: 'done' };
  } catch (cause) {
    return { kind: 'refused', reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

const TYPES = `CREATE MACRO trino_type(value) AS CASE typeof(value) WHEN 'TIMESTAMP' THEN 'timestamp(6)'
WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp(6) with time zone' WHEN 'FLOAT' THEN 'real' WHEN 'BLOB' THEN 'varbinary'
WHEN '"NULL"' THEN 'unknown' ELSE lower(typeof(value)) END`;
