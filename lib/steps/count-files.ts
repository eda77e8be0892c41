import type { SourceSpec } from '../core/spec.ts';
import { dataFault } from '../landing/data-fault.ts';
import type { Session } from '../ports.ts';
import { countReadable, countRecords, countRejects, hasRejects, rejectTables } from '../sql/batch.ts';
import { batchOf, type ReadableFile } from './batch-files.ts';

type Counts = ReadonlyMap<string, number>;

/** Data records by local path: by the bytes of text files, by the engine for the others. */
export async function countFiles(
  session: Session,
  source: SourceSpec,
  files: readonly ReadableFile[],
): Promise<Counts> {
  const others = files.filter((file) => file.numbering.records === undefined);
  const scanned = others.length === 0 ? [] : await session.rows(countRecords(batchOf(source, others)));
  const byEngine = new Map(scanned.map((row) => [String(row['file']), Number(row['records'])]));
  return new Map(files.map((file) => [file.path, file.numbering.records ?? byEngine.get(file.path) ?? 0]));
}

/** By local path: why a file cannot be read, or that the engine sees other records in it than its bytes make. */
export async function findBroken(
  session: Session,
  source: SourceSpec,
  files: readonly ReadableFile[],
): Promise<ReadonlyMap<string, string>> {
  let scans = 0;
  const probe = async (some: readonly ReadableFile[]): Promise<readonly (readonly [string, string])[]> => {
    scans += 1;
    try {
      const counts = await readAll(session, source, some, `probe_${scans}`);
      return some.flatMap((file) => miscount(file, counts.get(file.path) ?? 0));
    } catch (cause) {
      const reason = dataFault(cause);
      const [only] = some;
      if (only !== undefined && some.length === 1) return [[only.path, reason]];
      const half = Math.ceil(some.length / 2);
      return [...(await probe(some.slice(0, half))), ...(await probe(some.slice(half)))];
    }
  };
  return new Map(await probe(files));
}

async function readAll(
  session: Session,
  source: SourceSpec,
  files: readonly ReadableFile[],
  name: string,
): Promise<Counts> {
  const batch = batchOf(source, files);
  const rejects = rejectTables(name);
  const scanned = await session.rows(countReadable(batch, rejects));
  const refused = hasRejects(batch) ? await session.rows(countRejects(rejects)) : [];
  const counts = new Map<string, number>();
  for (const row of [...scanned, ...refused]) {
    const file = String(row['file']);
    counts.set(file, (counts.get(file) ?? 0) + Number(row['records']));
  }
  return counts;
}

function miscount(file: ReadableFile, found: number): readonly (readonly [string, string])[] {
  const { records } = file.numbering;
  if (records === undefined || records === found) return [];
  const reason = `the file has ${records} records by its line breaks and quotes, but ${found} are found when it is read; its quotes or line breaks are not those of CSV`;
  return [[file.path, reason]];
}
