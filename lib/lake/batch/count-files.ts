import { EngineError } from '../../core/errors.ts';
import type { SourceSpec } from '../../core/spec.ts';
import type { Session } from '../../ports.ts';
import { countReadable, countRecords, countRejects, hasRejects, rejectTables } from '../../sql/batch.ts';
import { batchOf, type ReadableFile } from './batch-files.ts';

type Counts = ReadonlyMap<string, number>;

/** Data records by local path: by the bytes of text files, by the engine for the others. */
export async function countFiles(
  session: Session,
  source: SourceSpec,
  files: readonly ReadableFile[],
): Promise<Counts> {
  const others = files.filter((file) => file.numbering.records === undefined).map(wholeFile);
  const scanned = others.length === 0 ? [] : await session.rows(countRecords(batchOf(source, others)));
  const byEngine = new Map(scanned.map((row) => [String(row['file']), Number(row['records'])]));
  return new Map(files.map((file) => [file.path, file.numbering.records ?? byEngine.get(file.path) ?? 0]));
}

/**
 * By local path: that the engine sees other records in a text file than its bytes make. A file that it cannot read at
 * all is passed over. `within` gives a session, of which there may be many: one is lost where the engine fails.
 */
export async function findMiscounted(
  source: SourceSpec,
  files: readonly ReadableFile[],
  within: <T>(use: (session: Session) => Promise<T>) => Promise<T>,
): Promise<ReadonlyMap<string, string>> {
  const texts = files.filter((file) => file.numbering.records !== undefined).map(wholeFile);
  const probe = async (some: readonly ReadableFile[]): Promise<readonly (readonly [string, string])[]> => {
    if (some.length === 0) return [];
    try {
      const counts = await within((session) => readAll(session, source, some));
      return some.flatMap((file) => miscount(file, counts.get(file.path) ?? 0));
    } catch (cause) {
      if (!(cause instanceof EngineError)) throw cause;
      if (some.length === 1) return [];
      const half = Math.ceil(some.length / 2);
      return [...(await probe(some.slice(0, half))), ...(await probe(some.slice(half)))];
    }
  };
  return new Map(await probe(texts));
}

/** The file with all of its records. */
function wholeFile({ range, poisoned, ...file }: ReadableFile): ReadableFile {
  return file;
}

async function readAll(session: Session, source: SourceSpec, files: readonly ReadableFile[]): Promise<Counts> {
  const batch = batchOf(source, files);
  const rejects = rejectTables('probe');
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
