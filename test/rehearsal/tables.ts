import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { awsPython } from '../aws/moto-server.ts';

const answer = z.object({
  tables: z.record(z.string(), z.object({ rows: z.number(), problems: z.array(z.string()) })),
  audit: z.object({
    rows: z.number(),
    problems: z.array(z.string()),
    events: z.record(z.string(), z.number()),
  }),
});

export type TablesRead = z.infer<typeof answer>;

/**
 * Columns that say when, in which run and from which snapshot a row came about, and tags of files that each store makes up itself; what it cost, which on AWS
 * maintenance does not know.
 */
const IGNORED = [
  'run_id',
  'etag',
  'snapshot_id',
  'exported_at',
  'ingested_at',
  'recorded_at',
  'quarantined_at',
  'started_at',
  'finished_at',
  'duration_ms',
  'cost_rate',
  'cost_usd',
];

/** Sums of sizes of files that have such columns in them, and are compressed; what a machine takes; versions; moments, and digests of what names snapshots: there or not there on both sides. */
const SIZES = [
  ...['bytes_brought', 'bytes_kept', 'bytes_skipped', 'bytes', 'bytes_read', 'bytes_written'],
  ...['peak_memory_bytes', 'spilled_bytes', 'version', 'at', 'compared_at', 'digest'],
];

/**
 * Lets PyIceberg read every table of a pipeline through Glue, and compare its rows with those of a lake in a folder. `audit`: false where
 * only functions have worked that write no audit log.
 */
export async function readTables(
  endpoint: string,
  pipeline: string,
  laptop: string,
  { audit = true }: { readonly audit?: boolean } = {},
): Promise<TablesRead> {
  const request = {
    endpoint,
    pipeline,
    laptop,
    audit,
    ignore: IGNORED,
    sizes: SIZES,
    compare: ['silver', 'gold', 'ops'],
  };
  const script = join(import.meta.dirname, 'read_tables.py');
  const child = spawn(await awsPython(), [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  child.stdin.end(JSON.stringify(request));
  const code = await new Promise((ended, failed) => child.on('close', ended).on('error', failed));
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${complaints.slice(-3_000)}`);
  return answer.parse(JSON.parse(out));
}
