import { visibleLine } from '../../core/visible.ts';
import { checkLanding, type Landed, type LandingDeps, type LandRequest, landFiles } from '../../runtime/land-files.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';
import type { LineSink } from '../output/log.ts';
import { createProgress } from '../output/progress.ts';

/** Copies files into bronze. The lake's folder is made only once the request has proved right. */
export function land(context: Context, request: LandRequest): Promise<number> {
  const { pipeline } = request;
  return landInto(context, request, {
    open: async (lines) => {
      const lake = await openLake(context, 'write', lines);
      await lake.make();
      return lake.deps;
    },
    next: ['next:', `  ${context.hint(`plan ${pipeline}`)}`, `  ${context.hint(`run ${pipeline}`)}`],
  });
}

/** Where files are landed, opened once the request has been checked, and what to do after it. */
export type Landing = {
  readonly open: (lines: LineSink) => Promise<LandingDeps>;
  readonly next: readonly string[];
};

/** Checks a request against the pipeline and lands its files. Throws InvalidInput before anything has landed. */
export async function landInto(context: Context, request: LandRequest, landing: Landing): Promise<number> {
  const progress = createProgress(context.stderr);
  const start = performance.now();
  try {
    const count = await checkLanding((await openLake(context, 'read', progress.lines)).deps.specs, request);
    const deps = await landing.open(progress.lines);
    const many = count > 1;
    if (many) progress.step('land', count);
    const landed = await landFiles(deps, request, { onLanded: () => progress.tick('land') });
    if (many) progress.done('land', performance.now() - start);
    progress.close();
    await context.answer({ pipeline: request.pipeline, source: request.source, files: landed }, () =>
      renderLanded(request, landed, landing.next),
    );
    return EXIT.done;
  } finally {
    progress.close();
  }
}

function renderLanded({ pipeline, source }: LandRequest, landed: readonly Landed[], next: readonly string[]): string {
  const bytes = landed.reduce((sum, one) => sum + one.bytes, 0);
  const replaced = landed.filter((one) => one.status === 'replaced');
  const unchanged = landed.filter((one) => one.status === 'unchanged');
  return [
    `landed ${formatQuantity(landed.length, 'file')}, ${formatBytes(bytes)}, in bronze/${pipeline}/${source}/`,
    ...replaced.map(
      (one) => `  ${visibleLine(one.key)} replaced an earlier upload; the next run reads it as a new file`,
    ),
    ...unchanged.map((one) => `  ${visibleLine(one.key)} had the same content before, and is no new file`),
    '',
    ...next,
    '',
  ].join('\n');
}
