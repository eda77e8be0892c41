import { cellText } from '../core/cell-text.ts';
import type { Cell, GivenRow } from '../core/model-test.ts';
import { REJECTED_COLUMNS } from '../core/model-test.ts';
import { opsTable } from '../core/ops.ts';
import type { RunResult } from '../core/run.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openOps } from '../lake/ops/open-ops.ts';
import type { JsonValue } from '../ports.ts';
import { selectRejected } from '../sql/given-rows.ts';
import { loadTable } from '../table/read.ts';
import { diffRows, type RowDiff, type TextRow } from './diff.ts';

/** A rejected row or file, by REJECTED_COLUMNS. */
type Rejected = Readonly<Record<string, string | null>>;

/** By the key of each landed file the `line` of each given row. */
export type LinesOfFiles = ReadonlyMap<string, readonly number[]>;

/** The difference between the rejected rows and files that a test names and those of a run. */
export async function diffRejected(
  deps: StepDeps,
  expected: readonly GivenRow[],
  result: RunResult,
  lines: LinesOfFiles,
): Promise<RowDiff | undefined> {
  const got = [...(await rejectedRows(deps, result, lines)), ...rejectedFiles(result)];
  const named = REJECTED_COLUMNS.filter((name) => expected.some((row) => row.has(name)));
  const columns = named.length > 0 ? named : SHOWN;
  const wanted = expected.map((row) => columns.map((name) => wantedText(name, row.get(name))));
  const diff = diffRows(
    columns,
    wanted,
    got.map((one) => textsOf(one, columns)),
    false,
  );
  return diff === undefined ? undefined : showReasons(diff, got);
}

/** What tells the most of a rejected row that nobody expected. */
const SHOWN = ['file', 'row', 'codes', 'details'] as const;

function textsOf(one: Rejected, columns: readonly string[]): TextRow {
  return columns.map((name) => one[name] ?? null);
}

/** Of a row that was not expected it is of interest why it was rejected, whatever is compared. */
function showReasons(diff: RowDiff, got: readonly Rejected[]): RowDiff {
  const more = SHOWN.filter((name) => !diff.columns.includes(name));
  const rest = [...got];
  const whole = (row: TextRow): TextRow => {
    const at = rest.findIndex((one) => JSON.stringify(textsOf(one, diff.columns)) === JSON.stringify(row));
    const [found] = at < 0 ? [] : rest.splice(at, 1);
    return [...row, ...more.map((name) => found?.[name] ?? null)];
  };
  return {
    ...diff,
    columns: [...diff.columns, ...more],
    missing: diff.missing.map((row) => [...row, ...more.map(() => null)]),
    unexpected: diff.unexpected.map(whole),
    changed: diff.changed.map(({ expected, got: row }) => {
      const found = whole(row);
      return { expected: [...expected, ...found.slice(expected.length)], got: found };
    }),
  };
}

/** Codes are a set; one alone needs no brackets. */
function wantedText(name: string, cell: Cell | undefined): string | null {
  if (cell === undefined) return null;
  if (cell.kind !== 'list') return cellText(cell);
  const texts = cell.items.map((item) => cellText(item) ?? '');
  return (name === 'codes' ? texts.sort() : texts).join(', ');
}

async function rejectedRows(deps: StepDeps, result: RunResult, lines: LinesOfFiles): Promise<readonly Rejected[]> {
  const entry = await loadTable(deps.catalog, opsTable(result.pipeline, 'quarantine'));
  if (entry === undefined) return [];
  await using session = await deps.engine.open(deps.settings);
  await using _quarantine = await openOps(deps.store, session, 'quarantine', entry.metadata);
  const rows = await session.rows(selectRejected(result.run_id));
  return rows.map(({ source_file, codes, details, ...row }) => {
    const key = String(source_file);
    const nth = lines.get(key)?.indexOf(Number(row['line'])) ?? -1;
    return {
      ...Object.fromEntries(Object.entries(row).map(([column, value]) => [column, textOf(value)])),
      file: key.slice(key.lastIndexOf('/') + 1),
      row: nth < 0 ? null : String(nth + 1),
      codes: listOf(codes).sort().join(', '),
      details: listOf(details).join(', '),
    };
  });
}

function rejectedFiles(result: RunResult): readonly Rejected[] {
  return result.rejected_files.map(({ source, file, reason }) => {
    const [code, ...details] = reason.split(': ');
    const name = file.slice(file.lastIndexOf('/') + 1);
    return { source, file: name, codes: code ?? '', details: details.join(': '), status: 'rejected' };
  });
}

function textOf(value: JsonValue): string | null {
  return value === null ? null : String(value);
}

function listOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
