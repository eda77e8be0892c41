import type { LandedFile } from '../core/run.ts';
import { parsedBytesOf } from './stage-units.ts';

/** What a run would take of a source. */
export type ExplainedSource = {
  readonly source: string;
  readonly files: number;
  readonly bytes: number;
  readonly estimated_bytes: number;
};

export function explainSource(source: string, files: readonly LandedFile[]): ExplainedSource {
  return {
    source,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    estimated_bytes: parsedBytesOf(files),
  };
}
