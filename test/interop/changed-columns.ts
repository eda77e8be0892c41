import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLake } from './lakes.ts';

type Row = Readonly<Record<string, string | number | boolean | null>>;
type Step = {
  readonly columns: object;
  /** By name. */
  readonly files: Readonly<Record<string, string>>;
  /** The columns in SQL of the partition and of what `versions` is sorted by. */
  readonly area: string;
  /** The rows of all events that have landed, by the columns that tables have then. */
  readonly events: readonly Row[];
  /** The end of each event in `versions`; null for the open ones. */
  readonly ends: readonly (number | null)[];
  readonly backfill?: true;
};

const EVENTS: readonly (readonly [id: number, q: number, v: number | string, area: string, note: string | null])[] = [
  [1, 1, 5, 'eu', null],
  [2, 1, 7, 'us', null],
  [1, 2, 6, 'eu', 'n1'],
  [3, 1, 9, 'eu', 'n2'],
  [2, 2, 8, 'us', 'n3'],
  [1, 3, 4, 'us', null],
  [4, 1, 'x', 'eu', null],
  [4, 2, 'y', 'eu', null],
];

/** The first events as rows, with the names that the columns have by then; an empty one for a column that is gone. */
function rowsOf(count: number, names: readonly [id: string, q: string, v: string, area: string, note: string]): Row[] {
  return EVENTS.slice(0, count).map((event) =>
    Object.fromEntries(names.flatMap((name, at) => (name === '' ? [] : [[name, event[at] ?? null]]))),
  );
}

const asText = (rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, value: String(row['value']) }));

const BASE = { id: 'bigint', q: 'int' };
const RENAMED = {
  value: { type: 'int', renamedFrom: 'v' },
  area: { type: 'string', renamedFrom: 'region' },
};

/** A column comes, two are renamed (one of them a partition), one goes, and one takes another type by a backfill. */
const STEPS: readonly Step[] = [
  {
    columns: { ...BASE, v: 'int', region: 'string' },
    area: 'region',
    files: { 'a.csv': 'id,q,v,region\n1,1,5,eu\n2,1,7,us\n' },
    events: rowsOf(2, ['id', 'q', 'v', 'region', '']),
    ends: [null, null],
  },
  {
    columns: { ...BASE, v: 'int', region: 'string', note: 'string' },
    area: 'region',
    files: { 'b.csv': 'id,q,v,region,note\n1,2,6,eu,n1\n' },
    events: rowsOf(3, ['id', 'q', 'v', 'region', 'note']),
    ends: [2, null, null],
  },
  {
    columns: { ...BASE, ...RENAMED, note: 'string' },
    area: 'area',
    files: { 'c.csv': 'id,q,value,area,note\n3,1,9,eu,n2\n', 'd.csv': 'id,q,v,region,note\n2,2,8,us,n3\n' },
    events: rowsOf(5, ['id', 'q', 'value', 'area', 'note']),
    ends: [2, 2, null, null, null],
  },
  {
    columns: { ...BASE, ...RENAMED },
    area: 'area',
    files: { 'e.csv': 'id,q,value,area\n1,3,4,us\n' },
    events: rowsOf(6, ['id', 'q', 'value', 'area', 'note']),
    ends: [2, 2, 3, null, null, null],
  },
  {
    columns: { ...BASE, ...RENAMED, value: { type: 'string', renamedFrom: 'v' } },
    area: 'area',
    files: { 'f.csv': 'id,q,value,area\n4,1,x,eu\n' },
    events: asText(rowsOf(7, ['id', 'q', 'value', 'area', ''])),
    ends: [2, 2, 3, null, null, null, null],
    backfill: true,
  },
  {
    columns: { ...BASE, value: 'string', area: 'string' },
    area: 'area',
    files: { 'g.csv': 'id,q,value,area\n4,2,y,eu\n' },
    events: asText(rowsOf(8, ['id', 'q', 'value', 'area', ''])),
    ends: [2, 2, 3, null, null, null, 2, null],
  },
];

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));

function pipelineOf({ columns, area }: Step): string {
  return `import { append, csv, definePipeline, identity, scd2 } from ${JSON.stringify(DEFINE)};
export default definePipeline({
  name: 'changing',
  sources: { events: csv({ columns: ${JSON.stringify(columns)}, drift: 'ignore' }) },
  silver: {
    items: { from: 'events', mode: append(), partitionBy: [identity('${area}')], sortBy: ['${area}', 'id'] },
    versions: { from: 'events', mode: scd2({ key: 'id', sequence: 'q', buckets: 2 }) },
  },
});
`;
}

const TABLES = ['items', 'versions', 'versions__log'] as const;

/** A plain and a keyed table through changes of their columns, and what each has to have after each run. */
export async function writeChangedColumns(root: string) {
  const moments = [];
  for (const [at, step] of STEPS.entries()) {
    const pipelines = join(root, `pipelines-${at}`);
    const file = join(pipelines, 'changing', 'pipeline.ts');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, pipelineOf(step));
    const lake = await openLake(root, pipelines);
    const landing = join(lake.root, 'bronze', 'changing', 'events');
    await mkdir(landing, { recursive: true });
    for (const [name, text] of Object.entries(step.files)) await writeFile(join(landing, name), text);
    const answer = await lake.run({ pipeline: 'changing', ...(step.backfill ? { backfill: {} } : {}) });
    if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(answer));
    const metadata: Record<string, string> = {};
    for (const name of TABLES) {
      const entry = await lake.deps.catalog.load({ pipeline: 'changing', layer: 'silver', name });
      if (entry !== undefined) metadata[name] = entry.metadataLocation;
    }
    const versions = step.events.map((row, i) => {
      const end = step.ends[i] ?? null;
      return { ...row, valid_from: row['q'] ?? null, valid_to: end, is_current: end === null };
    });
    const rows = { items: step.events, versions, versions__log: step.events };
    moments.push({ run: answer.result.run_id, metadata, rows });
  }
  return { moments };
}
