import { InvalidInput } from '../core/errors.ts';
import { OPS_TABLES, opsTable } from '../core/ops.ts';
import { maskRow } from '../core/personal.ts';
import { sourcePrefix } from '../core/seeds.ts';
import { didYouMean } from '../core/suggest.ts';
import type { Row } from '../ports.ts';
import {
  countQuarantined,
  selectArrivals,
  selectHashes,
  selectQuarantined,
  selectSameKey,
  summarizeQuarantine,
} from '../sql/quarantine-report.ts';
import type { QuarantineFilter } from '../sql/quarantine-table.ts';
import { duckType } from '../sql/types.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import type { PipelineDeps } from './find-keyed.ts';
import { personalSourcesOf } from './mask.ts';
import { MASKED_OF_RECORDS } from './masked-columns.ts';
import { type QueryResult, queryRows, withQuery } from './select.ts';

/**
 * What a person names rejected rows by; every part that is given has to match. A file is a key in bronze, or a name
 * below its source's folder; a hash may be cut as long as it is the only one that begins so.
 */
export type QuarantineRequest = {
  readonly source?: string;
  readonly code?: string;
  readonly status?: QuarantineStatus;
  readonly runId?: string;
  readonly files?: readonly string[];
  readonly hashes?: readonly string[];
};

export const QUARANTINE_STATUSES = ['quarantined', 'condemned', 'released'] as const;
export type QuarantineStatus = (typeof QUARANTINE_STATUSES)[number];

export type QuarantineList = {
  readonly pipeline: string;
  /** All rows that match, of which `rows` are the first. */
  readonly total: number;
  /** Those of them that were released: who was rejected again since then is among the others, too. */
  readonly released: number;
  /** By source, code and status; a row counts under each of its codes. */
  readonly summary: readonly Row[];
  /** As OPS_TABLES.quarantine, the newest first. */
  readonly rows: readonly Row[];
};

/** All that is known of one rejected row. */
export type QuarantinedRow = {
  readonly pipeline: string;
  readonly row_hash: string;
  readonly source: string;
  readonly business_key: string | null;
  /** Each time that it came, the first time first. */
  readonly arrivals: readonly Row[];
  /** Rejected rows of the same business key with other content. */
  readonly same_key: readonly Row[];
};

type Deps = QueryDeps & PipelineDeps;

/** The rejected rows of a pipeline and how many there are of each kind. Throws InvalidInput for an unknown pipeline or source. */
export async function listQuarantine(
  deps: Deps,
  pipeline: string,
  request: QuarantineRequest,
  limit: number,
): Promise<QuarantineList> {
  if (!(await hasQuarantine(deps, pipeline))) return { pipeline, total: 0, released: 0, summary: [], rows: [] };
  const filter = await parseFilter(deps, pipeline, request);
  const [counted] = await queryRows(deps, countQuarantined(pipeline, filter));
  const summary = await queryRows(deps, summarizeQuarantine(pipeline, filter));
  const rows = await queryRows(deps, selectQuarantined(pipeline, filter, limit));
  return { pipeline, total: Number(counted?.['rows']), released: Number(counted?.['released']), summary, rows };
}

/** Hands all matching rows to `use`, a page at a time. Throws as listQuarantine. */
export async function exportQuarantine<T>(
  deps: Deps,
  pipeline: string,
  request: QuarantineRequest,
  use: (result: QueryResult) => Promise<T>,
): Promise<T> {
  if (await hasQuarantine(deps, pipeline)) {
    const filter = await parseFilter(deps, pipeline, request);
    return withQuery(deps, { sql: selectQuarantined(pipeline, filter) }, use);
  }
  const columns = OPS_TABLES.quarantine.map(({ name, type }) => ({ name, type: duckType(type) }));
  return use({ columns, rows: 0, masked: [], async *pages() {} });
}

/** One rejected row by its hash, or the beginning of it. Throws InvalidInput when there is none, or several. */
export async function showQuarantined(deps: Deps, pipeline: string, hash: string): Promise<QuarantinedRow> {
  const row_hash = await resolveHash(deps, pipeline, hash);
  const arrivals = await queryRows(deps, selectArrivals(pipeline, row_hash));
  const same_key = await sameKey(deps, pipeline, row_hash);
  const business_key = arrivals[0]?.['business_key'];
  return {
    pipeline,
    row_hash,
    source: String(arrivals[0]?.['source']),
    business_key: typeof business_key === 'string' ? business_key : null,
    arrivals,
    same_key,
  };
}

/** Masked keys are all alike, so that rows are found by their own. */
async function sameKey(deps: Deps, pipeline: string, hash: string): Promise<readonly Row[]> {
  const { hidesPersonal, ...whole } = deps;
  const rows = await queryRows(whole, selectSameKey(pipeline, hash));
  if (hidesPersonal !== true) return rows;
  const sources = await personalSourcesOf(deps, pipeline);
  const hidden = new Set<string>(MASKED_OF_RECORDS);
  return rows.map((row) => (sources.has(String(row['source'])) ? maskRow(row, (name) => hidden.has(name)) : row));
}

/** Throws InvalidInput for a pipeline that neither has rejected rows nor is in the folder. */
export async function hasQuarantine(deps: Deps, pipeline: string): Promise<boolean> {
  if ((await loadTable(deps.catalog, opsTable(pipeline, 'quarantine'))) !== undefined) return true;
  await deps.specs(pipeline);
  return false;
}

/** Names as the table has them. Throws InvalidInput for a source that the pipeline lacks and for a hash of no row. */
export async function parseFilter(deps: Deps, pipeline: string, request: QuarantineRequest): Promise<QuarantineFilter> {
  const { files, hashes, ...rest } = request;
  if (rest.source !== undefined || files !== undefined) await checkSource(deps, pipeline, rest.source);
  return {
    ...rest,
    ...(files === undefined ? {} : { files: await fileKeys(deps, pipeline, files, rest.source) }),
    ...(hashes === undefined
      ? {}
      : { hashes: await Promise.all(hashes.map((hash) => resolveHash(deps, pipeline, hash))) }),
  };
}

async function checkSource(deps: Deps, pipeline: string, source: string | undefined): Promise<void> {
  const known = (await deps.specs(pipeline)).sources.map((one) => one.name);
  if (source === undefined || known.includes(source)) return;
  throw new InvalidInput(
    `no source ${JSON.stringify(source)} in ${pipeline}: expected one of ${known.join(', ')}${didYouMean(source, known)}`,
  );
}

async function fileKeys(
  deps: Deps,
  pipeline: string,
  files: readonly string[],
  source: string | undefined,
): Promise<readonly string[]> {
  const all = (await deps.specs(pipeline)).sources;
  const sources = source === undefined ? all : all.filter((one) => one.name === source);
  return files.flatMap((file) =>
    file.startsWith(`bronze/${pipeline}/`) ? [file] : sources.map((one) => `${sourcePrefix(pipeline, one)}${file}`),
  );
}

const MOST_NAMED = 5;

async function resolveHash(deps: Deps, pipeline: string, text: string): Promise<string> {
  const prefix = text.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(prefix)) {
    throw new InvalidInput(
      `not a row hash: got ${JSON.stringify(text)}; expected 64 hexadecimal digits, or the first of them`,
    );
  }
  const found = (await hasQuarantine(deps, pipeline))
    ? await queryRows(deps, selectHashes(pipeline, prefix, MOST_NAMED + 1))
    : [];
  const hashes = found.map((row) => String(row['row_hash']));
  const [only, ...others] = hashes;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    throw new InvalidInput(
      `no row of ${pipeline} with hash ${text} is in quarantine; they are listed by: strata quarantine list ${pipeline}`,
    );
  }
  const more = hashes.length > MOST_NAMED ? ', ...' : '';
  throw new InvalidInput(
    `hash ${text} is the beginning of several rows of ${pipeline}: ${hashes.slice(0, MOST_NAMED).join(', ')}${more}`,
  );
}
