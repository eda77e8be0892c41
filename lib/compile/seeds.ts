import { createHash } from 'node:crypto';
import { MOST_SEED_BYTES } from '../core/seeds.ts';
import { full } from '../define/modes.ts';
import type { SourceDraft } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import type { PipelineFiles } from './parse-models.ts';
import { isRecord } from './shape.ts';

/** Sources with the files of those that are seeds. A file that cannot be one is noted. */
export async function readSeeds(
  sources: readonly SourceDraft[],
  files: PipelineFiles,
  notes: Notes,
): Promise<readonly SourceDraft[]> {
  const read: SourceDraft[] = [];
  for (const source of sources) read.push(await readSeed(source, files, notes));
  return read;
}

async function readSeed(source: SourceDraft, files: PipelineFiles, notes: Notes): Promise<SourceDraft> {
  const { seedPath: path, ...draft } = source;
  if (path === undefined || path === null) return source;
  const at = placeIn(source.place, 'seed');
  const text = await files.read(path);
  if (text === undefined) {
    notes.add(at, `${showValue(path)}, which is not there`, "a file in the pipeline's folder");
    return source;
  }
  const content = new TextEncoder().encode(text);
  if (content.length > MOST_SEED_BYTES) {
    const most = `${MOST_SEED_BYTES / 1_000_000} MB or less, which travels with the pipeline; a larger file is landed in a csv() source`;
    notes.add(at, `${showValue(path)} of ${(content.length / 1_000_000).toFixed(1)} MB`, most);
  }
  if (text.includes('\uFFFD')) notes.add(at, `${showValue(path)} with bytes that are not UTF-8`, 'text in UTF-8');
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 32);
  const seed = { path, name: `${source.spec.name}-${hash}.csv`, bytes: content.length, text };
  return { ...draft, spec: { ...source.spec, seed } };
}

/**
 * Silver tables as declared, and those of seeds that nobody declared: a seed's table is the seed. A declared one that
 * does not say its mode is replaced whole as well; another mode is noted.
 */
export function withSeedTables(silver: unknown, sources: readonly SourceDraft[], notes: Notes): unknown {
  const declared = isRecord(silver) ? Object.entries(silver) : [];
  const seeds = sources
    .filter(({ seedPath, place }) => seedPath !== undefined && !notes.found.some((problem) => problem.place === place))
    .map(({ spec }) => spec.name);
  const filled = declared.map(([name, table]) => {
    if (!isRecord(table) || !seeds.includes(String(table['from']))) return [name, table] as const;
    const mode = table['mode'];
    if (mode === undefined) return [name, { ...table, mode: full() }] as const;
    if (isRecord(mode) && mode['kind'] !== 'full') {
      notes.add(
        placeIn(placeIn('silver', name), 'mode'),
        `${mode['kind']}() of a seed`,
        'full(), or none: the table is what the file says',
      );
    }
    return [name, table] as const;
  });
  const read = new Set(declared.flatMap(([, table]) => (isRecord(table) ? [table['from']] : [])));
  const names = new Set(declared.map(([name]) => name));
  const made = seeds
    .filter((name) => !read.has(name) && !names.has(name))
    .map((name) => [name, { from: name, mode: full() }] as const);
  return seeds.length === 0 ? silver : Object.fromEntries([...made, ...filled]);
}
