import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractColumn, ParseFormat } from '../../lib/core/spec.ts';
import { parseColumnType } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { parseColumn } from '../../lib/sql/parse-column.ts';
import { quoteTexts } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

export type Rule = { readonly type: string; readonly parse?: ParseFormat };

/** What became of a text: its value as text, or that it is none of its type. */
export type Parsed = string | null | 'refused';

/** A column of texts, parsed as one batch in a session of its own. */
export async function parseTexts({ type: name, parse }: Rule, texts: readonly string[]): Promise<readonly Parsed[]> {
  const type = parseColumnType(name);
  assert.ok(type, name);
  const column: ContractColumn = {
    ...{ source: 'v', name: 'v', type, parse: parse ?? { kind: 'auto' }, required: false, checks: [] },
  };
  const { value, exact } = parseColumn(column, sql`raw`, undefined);
  const scratch = await mkdtemp(join(tmpdir(), 'strata-texts-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 1, scratch });
  try {
    const rows = await session.rows({
      name: 'texts',
      text: userSql(`SELECT CAST(v AS VARCHAR) AS v, COALESCE(${exact}, false) AS exact
FROM (SELECT ${value} AS v, * FROM (SELECT unnest(${quoteTexts(texts)}) AS raw))`),
    });
    return rows.map((row) => (row['exact'] === true ? (row['v'] as string | null) : 'refused'));
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  }
}

export const byFormats = (...formats: readonly string[]): ParseFormat => ({ kind: 'strptime', formats });
