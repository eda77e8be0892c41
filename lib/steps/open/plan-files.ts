import type { LandedFile, PlannedSource, RunPlan, RunRef } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { runFolder, writeJson } from '../../lake/run/run-folder.ts';
import type { SourceFiles } from '../../plan/file-lists.ts';

/** The files of a run by reference, as its plan has them. */
export function planFiles(run: RunRef, lists: readonly SourceFiles[]): Pick<RunPlan, 'sources' | 'own_files'> {
  const sources = lists.map(({ source, files }) => [source, listed(runFolder.files(run, source), files)] as const);
  const own = lists.flatMap((list) =>
    [...(list.own ?? [])].map(
      ([model, files]) => [model, files === undefined ? null : listed(runFolder.ownFiles(run, model), files)] as const,
    ),
  );
  return { sources: Object.fromEntries(sources), ...(own.length === 0 ? {} : { own_files: Object.fromEntries(own) }) };
}

function listed(files_key: string, files: readonly LandedFile[]): PlannedSource {
  return { files_key, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** Writes what the references lead to. */
export async function writeLists(
  { store }: Pick<StepDeps, 'store'>,
  run: RunRef,
  { source, files, own }: SourceFiles,
): Promise<void> {
  await writeJson(store, runFolder.files(run, source), files);
  for (const [model, some] of own ?? []) {
    if (some !== undefined) await writeJson(store, runFolder.ownFiles(run, model), some);
  }
}
