import { OPS_TABLES, opsTable } from '../core/ops.ts';
import type { LandedFile } from '../core/run.ts';
import type { ObjectInfo, Session } from '../ports.ts';
import { selectLedger } from '../sql/ops-rows.ts';
import { createSchemas } from '../sql/scan.ts';
import type { StepDeps } from './deps.ts';
import { openTable } from './table-state.ts';

/** Files of a source that the ledger does not know: a key with a new etag is a new file. In key order. */
export async function findNewFiles(
  deps: StepDeps,
  session: Session,
  pipeline: string,
  sources: readonly string[],
): Promise<ReadonlyMap<string, readonly LandedFile[]>> {
  const known = await readLedger(deps, session, pipeline);
  const waiting = new Map<string, readonly LandedFile[]>();
  for (const source of sources) {
    const files: LandedFile[] = [];
    for await (const info of deps.store.list(`bronze/${pipeline}/${source}/`)) {
      if (!known.has(ledgerKey(info.key, info.etag))) files.push(landedFile(info));
    }
    waiting.set(source, files);
  }
  return waiting;
}

export function landedFile({ key, size, etag, version }: ObjectInfo): LandedFile {
  return { key, size, etag, ...(version === undefined ? {} : { version }) };
}

async function readLedger(deps: StepDeps, session: Session, pipeline: string): Promise<ReadonlySet<string>> {
  const id = opsTable(pipeline, 'files');
  const entry = await deps.catalog.load(id);
  if (entry === undefined) return new Set();
  for (const statement of createSchemas(['ops'])) await session.run(statement);
  const files = await openTable(
    deps.store,
    session,
    { schema: 'ops', table: 'files' },
    entry.metadata,
    OPS_TABLES.files,
  );
  try {
    const rows = await session.rows(selectLedger());
    return new Set(rows.map((row) => ledgerKey(String(row['key']), String(row['etag']))));
  } finally {
    await files.release();
  }
}

function ledgerKey(key: string, etag: string): string {
  return `${etag} ${key}`;
}
