import type { PipelineSpec, SourceSpec } from './spec.ts';

/** A pipeline's folder in bronze that is no source's: what runs land there, see `SeedFile`. */
export const SEEDS_FOLDER = '_seeds';

/** A seed is code, and code is small. */
export const MOST_SEED_BYTES = 1_000_000;

/** Where the files of a source lie in the store; it ends in `/`. */
export function sourcePrefix(pipeline: string, { name, seed }: Pick<SourceSpec, 'name' | 'seed'>): string {
  return seed === undefined ? `bronze/${pipeline}/${name}/` : `bronze/${pipeline}/${SEEDS_FOLDER}/${name}/`;
}

/** A pipeline as plans have it. */
export function withoutSeedTexts(spec: PipelineSpec): PipelineSpec {
  if (spec.sources.every(({ seed }) => seed?.text === undefined)) return spec;
  const sources = spec.sources.map((source): SourceSpec => {
    if (source.seed === undefined) return source;
    const { text: _text, ...seed } = source.seed;
    return { ...source, seed };
  });
  return { ...spec, sources };
}
