import {
  type DiagnosedColumn,
  type DiagnosedKey,
  type Diagnosis,
  hotAmong,
  type KeyValue,
  percentOf,
  SAMPLE_ROWS,
  TOP_VALUES,
} from '../../core/diagnosis.ts';
import { MASK } from '../../core/personal.ts';
import { type Column, renderColumnType } from '../../core/types.ts';
import type { Session } from '../../ports.ts';
import { countDays, countFilled, fillBuckets, groupValues, sampleRows, topValues } from '../../sql/diagnosis/rows.ts';
import type { MaskedColumn } from '../../sql/masked.ts';
import { createHashMacros } from '../../sql/transform.ts';

/** What is asked of the rows in the session. */
export type Asked = {
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  readonly day: string | undefined;
  /** Buckets that a key is cut into. */
  readonly buckets: number;
  /** Personal columns, and whether their values are shown all the same. */
  readonly personal: readonly MaskedColumn[];
  readonly shown: boolean;
};

export type Measured = Pick<Diagnosis, 'rows' | 'schema' | 'keys' | 'days' | 'sample'>;

/** Measures the diagnosed rows of a session, a statement for each question. */
export async function measureRows(session: Session, asked: Asked): Promise<Measured> {
  const masked = asked.shown ? [] : asked.personal;
  const { rows, schema } = await measureColumns(session, asked);
  await session.run(createHashMacros());
  const keys: DiagnosedKey[] = [];
  for (const name of asked.keys) {
    const column = asked.columns.find((one) => one.name === name);
    if (column === undefined) continue;
    const hidden = masked.some((one) => one.name === name);
    keys.push(await measureKey(session, column, { rows, hidden, buckets: asked.buckets }));
  }
  const sample = await session.rows(sampleRows(asked.columns, masked, SAMPLE_ROWS));
  return { rows, schema, keys, days: await measureDays(session, asked.day), sample };
}

async function measureColumns(session: Session, asked: Asked): Promise<Pick<Diagnosis, 'rows' | 'schema'>> {
  const [counted = {}] = await session.rows(countFilled(asked.columns));
  const rows = Number(counted['rows']);
  const schema = asked.columns.map(({ name, type }, at): DiagnosedColumn => {
    const filled = Number(counted[`n${at}`]);
    const nulls = rows - filled;
    // An estimate may be above what there can be.
    const distinct_estimate = Math.min(filled, Number(counted[`d${at}`]));
    const share = { nulls, null_percent: percentOf(nulls, rows), distinct_estimate };
    const column = { name, type: renderColumnType(type), ...share };
    return asked.personal.some((one) => one.name === name) ? { ...column, personal: true } : column;
  });
  return { rows, schema };
}

async function measureKey(
  session: Session,
  { name, type }: Column,
  { rows, hidden, buckets }: { readonly rows: number; readonly hidden: boolean; readonly buckets: number },
): Promise<DiagnosedKey> {
  await session.run(groupValues(name));
  const top = (await session.rows(topValues(TOP_VALUES))).map(({ value, n }): KeyValue => {
    const text = value === null || value === undefined ? null : hidden ? MASK : String(value);
    return { value: text, rows: Number(n), percent: percentOf(Number(n), rows) };
  });
  const [filled = {}] = await session.rows(fillBuckets(type, buckets));
  const [distinct, own, fullest] = [filled['distinct_values'], filled['rows'], filled['fullest']].map(Number) as [
    number,
    number,
    number,
  ];
  const skew = own === 0 ? null : Math.round((fullest / (own / buckets)) * 100) / 100;
  return { column: name, distinct, top, hot: hotAmong(top, rows, distinct), buckets, skew };
}

async function measureDays(session: Session, column: string | undefined): Promise<Diagnosis['days']> {
  if (column === undefined) return null;
  const volumes = (await session.rows(countDays(column))).map(({ day, n }) => ({
    day: day === null || day === undefined ? null : String(day),
    rows: Number(n),
  }));
  return { column, volumes };
}
