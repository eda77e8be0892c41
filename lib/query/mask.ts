import { opsTable } from '../core/ops.ts';
import { listedIn, PERSONAL_SOURCES } from '../core/personal.ts';
import type { Session } from '../ports.ts';
import { maskView } from '../sql/masked.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { maskedColumns } from './masked-columns.ts';
import type { QueriedTable } from './read-files.ts';

/** Masks the views of a session whose tables have personal columns, if they are to be; answers which columns, by full name. */
export async function maskPersonal(
  { hidesPersonal }: Pick<QueryDeps, 'hidesPersonal'>,
  session: Session,
  tables: readonly QueriedTable[],
): Promise<readonly string[]> {
  if (hidesPersonal !== true) return [];
  const masked: string[] = [];
  for (const { name, metadata } of tables) {
    const columns = maskedColumns(metadata);
    if (columns.length === 0) continue;
    for (const statement of maskView(name, columns)) await session.run(statement);
    masked.push(...columns.map((column) => `${name.schema}.${name.table}.${column.name}`));
  }
  return masked;
}

/** The sources of a pipeline whose rejected records hold what is personal. */
export async function personalSourcesOf(
  { catalog }: Pick<QueryDeps, 'catalog'>,
  pipeline: string,
): Promise<ReadonlySet<string>> {
  const table = await loadTable(catalog, opsTable(pipeline, 'quarantine'));
  return new Set(table === undefined ? [] : listedIn(table.metadata.properties, PERSONAL_SOURCES));
}
