/// <reference path="./parquetjs-lite.d.ts" />
import type { AuditLog, AuditRow, ObjectStore } from '../../ports.ts';

const COLUMNS = {
  at: { type: 'TIMESTAMP_MILLIS' },
  function: { type: 'UTF8' },
  event: { type: 'UTF8' },
  run_id: { type: 'UTF8', optional: true },
  detail: { type: 'UTF8' },
} as const;

/**
 * Rows as small Parquet files at `ops/<pipeline>/audit_log/<function>/<unique>.parquet`, which the table `audit_log` reads:
 * columns at (timestamp of milliseconds, UTC), function, event, run_id and detail.
 */
export function createParquetAuditLog(store: ObjectStore, pipeline: string, unique: () => string): AuditLog {
  return {
    async append(rows) {
      const byFunction = new Map<string, AuditRow[]>();
      for (const row of rows) byFunction.set(row.function, [...(byFunction.get(row.function) ?? []), row]);
      for (const [name, own] of byFunction) {
        const key = `ops/${pipeline}/audit_log/${name}/${unique()}.parquet`;
        await store.write(key, await renderParquet(own), { kind: 'absent' });
      }
    },
  };
}

async function renderParquet(rows: readonly AuditRow[]): Promise<Uint8Array> {
  // Loaded on use: a function that has nothing to write down starts without it.
  const { default: parquet } = await import('parquetjs-lite');
  const chunks: Uint8Array[] = [];
  const writer = await parquet.ParquetWriter.openStream(
    new parquet.ParquetSchema(COLUMNS),
    {
      write(bytes, done) {
        chunks.push(Uint8Array.from(bytes));
        done();
      },
      end: (done) => done(),
    },
    // Pages of the first version, which every reader knows.
    { useDataPageV2: false },
  );
  for (const row of rows) await writer.appendRow(row);
  await writer.close();
  return Buffer.concat(chunks);
}
