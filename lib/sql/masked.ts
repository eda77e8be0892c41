import { MASK } from '../core/personal.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName, quotePath, quoteText, quoteTexts } from './quote.ts';
import type { ViewName } from './scan.ts';
import { duckType } from './types.ts';

/** A column whose values are masked: all of them, or those of rows from some sources. */
export type MaskedColumn = Column & { readonly sources?: readonly string[] };

/**
 * Puts a view in the place of another of the session, in which personal values are masked before any SQL sees them: texts
 * as `***`, values of other types as NULL. NULL stays.
 */
export function maskView({ schema, table }: ViewName, columns: readonly MaskedColumn[]): readonly Statement[] {
  const whole = `__whole_${table}`;
  return [
    { name: 'mask', text: sql`ALTER VIEW ${quotePath(schema, table)} RENAME TO ${quoteName(whole)}` },
    {
      name: 'mask',
      text: sql`CREATE VIEW ${quotePath(schema, table)} AS SELECT * REPLACE (${maskedList(columns)}) FROM ${quotePath(schema, whole)}`,
    },
  ];
}

/** What SELECT * REPLACE takes. */
export function maskedList(columns: readonly MaskedColumn[]): Sql {
  return join(columns.map((column) => sql`${maskedValue(column)} AS ${quoteName(column.name)}`));
}

const SOURCE = ownName('source');

function maskedValue({ name, type, sources }: MaskedColumn): Sql {
  const column = quoteName(name);
  const hidden = type.kind === 'string' ? quoteText(MASK) : sql`CAST(NULL AS ${duckType(type)})`;
  const which =
    sources === undefined ? sql`${column} IS NOT NULL` : sql`${column} IS NOT NULL AND ${SOURCE} IN ${listOf(sources)}`;
  return sql`CASE WHEN ${which} THEN ${hidden} ELSE ${sources === undefined ? sql`NULL` : column} END`;
}

function listOf(texts: readonly string[]): Sql {
  return sql`(SELECT unnest(${quoteTexts(texts)}))`;
}
