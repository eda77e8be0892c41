import { z } from 'zod';
import { InvalidInput } from '../../core/errors.ts';
import type { Row } from '../../ports.ts';
import { describeTable } from '../../query/describe-table.ts';
import { findTable } from '../../query/find-table.ts';
import { lineageSteps } from '../../query/lineage-steps.ts';
import { listRuns } from '../../query/list-runs.ts';
import { listTables } from '../../query/list-tables.ts';
import { listQuarantine } from '../../query/quarantine.ts';
import { type QueryResult, withQuery } from '../../query/select.ts';
import { collectFacts, pipelinesIn } from '../../query/status/status-facts.ts';
import { judgePipeline } from '../../report/status.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { specsBut } from '../specs-here.ts';

/** The lake that is asked about, opened for reading. */
export type AskedLake = { readonly deps: LocalLake['deps']; readonly pipelines: string };

/** One tool of the server: what it is for, what it takes, and its answer, which JSON can hold. */
export type Tool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly answer: (lake: AskedLake, given: unknown) => Promise<unknown>;
};

/** What one answer may hold: an assistant reads all of it. */
export const MOST_ROWS = 1_000;
export const MOST_BYTES = 100_000;
const DEFAULT_ROWS = 100;

const pipeline = z.string().describe('the name of a pipeline, such as retail');
const table = z.string().describe('a table by full name, such as retail_gold.monthly_revenue');
const limit = z.number().int().min(1).max(MOST_ROWS).default(20).describe('at most so many, the newest first');

/** Everything that an assistant may ask. Nothing here writes, and what is personal is masked. */
export const TOOLS: readonly Tool[] = [
  tool({
    name: 'list_tables',
    title: 'Tables of the lake',
    description:
      'Every table with its rows, files, bytes and snapshots. Names are <pipeline>_<layer>.<table>; the layer ops holds the books of a pipeline: runs, accounting, quarantine.',
    input: z.object({}),
    answer: async ({ deps }) => ({ tables: await listTables(deps) }),
  }),
  tool({
    name: 'describe_table',
    title: 'One table',
    description: 'Columns with types, partitioning, sort order, properties, size, what it reads and what reads it.',
    input: z.object({ table }),
    answer: async (lake, { table: name }) => {
      const specs = await specsBut(lake.deps, lake.pipelines);
      const found = await findTable(lake.deps.catalog, name);
      const spec = specs.find((one) => one.name === found.id.pipeline);
      return describeTable(lake.deps, found, spec, specs);
    },
  }),
  tool({
    name: 'lineage',
    title: 'What a table or a column comes from',
    description:
      'What a table, a source or a column comes from and what comes from it, step by step, nearest first. A step by "rows" names a column by which the rows of a table are chosen, joined or grouped.',
    input: z.object({
      name: z.string().describe('retail_gold.sales, retail_gold.sales.amount, or bronze/retail/transactions'),
    }),
    answer: async (lake, { name }) => lineageSteps(await specsBut(lake.deps, lake.pipelines), name),
  }),
  tool({
    name: 'list_runs',
    title: 'Runs',
    description:
      'The runs of one pipeline or of all, failed ones too, with their accounts: rows read, accepted, rejected.',
    input: z.object({ pipeline: pipeline.optional(), limit }),
    answer: async ({ deps }, given) => {
      const rows = await listRuns(deps, given.pipeline);
      return { runs: rows.slice(0, given.limit), total: rows.length };
    },
  }),
  tool({
    name: 'quarantine',
    title: 'Rejected rows',
    description:
      'How many rows of a pipeline were rejected by source, code and status, and the newest of them with the reasons.',
    input: z.object({
      pipeline,
      source: z.string().optional(),
      code: z.string().optional().describe('such as TYPE_ERROR'),
      limit,
    }),
    answer: async ({ deps }, { pipeline: name, limit: most, source, code }) =>
      listQuarantine(
        hiding(deps),
        name,
        { ...(source === undefined ? {} : { source }), ...(code === undefined ? {} : { code }) },
        most,
      ),
  }),
  tool({
    name: 'status',
    title: 'How pipelines do',
    description:
      'Last run, freshness and other promises with what is left of them, open incidents, breaker, quarantine by code and maintenance that is due, of one pipeline or of all.',
    input: z.object({ pipeline: pipeline.optional() }),
    answer: async ({ deps }, given) => {
      const names = given.pipeline === undefined ? await pipelinesIn(deps) : [given.pipeline];
      const now = deps.clock.now().getTime();
      const found = [];
      for (const name of names) found.push(judgePipeline(await collectFacts(deps, name), now));
      return { pipelines: found };
    },
  }),
  tool({
    name: 'query',
    title: 'A query',
    description: `One SELECT in DuckDB's SQL over the tables by full name. At most max_rows rows and ${MOST_BYTES} bytes of them are answered; "truncated" says that there are more: aggregate, or ask for less. Personal columns are masked.`,
    input: z.object({
      sql: z.string().describe('SELECT region, sum(revenue) FROM retail_gold.monthly_revenue GROUP BY region'),
      as_of: z.string().optional().describe('a run, a tag, a snapshot or a time as of which tables are read'),
      max_rows: z.number().int().min(1).max(MOST_ROWS).default(DEFAULT_ROWS),
    }),
    answer: async ({ deps }, { sql, as_of, max_rows }) =>
      withQuery(hiding(deps), { sql, ...(as_of === undefined ? {} : { asOf: as_of }) }, (result) =>
        firstOf(result, max_rows),
      ),
  }),
];

/** Checks what is given by the tool's own schema, whoever calls it. */
function tool<Input extends z.ZodObject>({
  answer,
  ...shape
}: Omit<Tool, 'answer' | 'input'> & {
  readonly input: Input;
  readonly answer: (lake: AskedLake, given: z.output<Input>) => Promise<unknown>;
}): Tool {
  return {
    ...shape,
    answer: (lake, given) => {
      const read = shape.input.safeParse(given);
      if (!read.success) throw new InvalidInput(`${shape.name}: ${z.prettifyError(read.error)}`);
      return answer(lake, read.data);
    },
  };
}

function hiding<Deps extends object>(deps: Deps): Deps & { readonly hidesPersonal: boolean } {
  return { ...deps, hidesPersonal: true };
}

/** The first rows, whole ones, as many as may be answered. Throws InvalidInput where not even one may. */
async function firstOf(result: QueryResult, most: number): Promise<unknown> {
  const { columns, rows: total, masked } = result;
  const rows: Row[] = [];
  let bytes = 0;
  pages: for await (const page of result.pages()) {
    for (const row of page) {
      bytes += Buffer.byteLength(JSON.stringify(row));
      if (rows.length === most || bytes > MOST_BYTES) break pages;
      rows.push(row);
    }
  }
  if (rows.length === 0 && total > 0) {
    throw new InvalidInput(
      `query: the first row has ${bytes} bytes; an answer has at most ${MOST_BYTES}: name fewer columns, or cut long texts with left(column, 100)`,
    );
  }
  return { columns, rows, total, truncated: rows.length < total, masked };
}
