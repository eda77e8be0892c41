import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planRun } from '../../lib/query/plan-run.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { runOpen } from '../../lib/steps/open/open.ts';
import { runPlanStage } from '../../lib/steps/stage/plan-stage.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Figure } from '../figures.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { ratioFigure } from '../rounds.ts';

const BOUND = 15;
const SILENT = { info: () => undefined, warn: () => undefined };

/** Milliseconds. */
type Times = { readonly plan: number; readonly open: number };

/** How planning grows with the number of files that wait: ten times the files in two lakes that hold nothing else. */
export async function measurePlanning(bench: Bench): Promise<Measured> {
  const many = bench.sizes.waitingFiles;
  const few = many / 10;
  const lakes = { few: await makeLake(few), many: await makeLake(many) };
  await planOnce(lakes.few);
  const rounds: { few: Times; many: Times }[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    const times = { few: await planOnce(lakes.few), many: await planOnce(lakes.many) };
    rounds.push(times);
    bench.log(`planning, round ${round}: ${few} files ${show(times.few)}, ${many} files ${show(times.many)}`);
  }
  const [more, fewer] = [many, few].map((files) => files.toLocaleString('en-US'));
  const figure = (what: string, part: keyof Times): Figure =>
    ratioFigure(
      `${what} ${more} waiting files: time against ${fewer}`,
      rounds.map((round) => round.many[part]),
      rounds.map((round) => round.few[part]),
      BOUND,
      'Every waiting file is listed and compared with the ledger.',
    );
  return {
    figures: [figure('planning', 'plan'), figure('opening a run and planning its first level with', 'open')],
    fingerprints: [],
    skipped: [],
  };
}

async function makeLake(files: number): Promise<string> {
  return madeOnce(`waiting-${files}`, [new URL(import.meta.url)], async (root) => {
    const folder = join(root, 'bronze', 'events', 'events');
    await mkdir(folder, { recursive: true });
    for (let n = 1; n <= files; n += 1) {
      const row = `${n},2025-01-01 00:00:00,1,view,s,1,1.00,1.5`;
      const text = `event_id,event_ts,device_id,kind,session,quantity,price,score\n${row}\n`;
      await writeFile(join(folder, `${String(n).padStart(6, '0')}.csv`), text);
    }
  });
}

/** What `strata plan` computes, then what the first states of a run do, on a lake without any run. */
async function planOnce(root: string): Promise<Times> {
  await rm(join(root, 'ops'), { recursive: true, force: true });
  const { deps } = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  await deps.specs('events');
  const started = performance.now();
  await planRun(deps, 'events');
  const plannedAt = performance.now();
  const state = await runOpen({ pipeline: 'events', run_id: 'plan', dry_run: false }, deps);
  await runPlanStage(state, deps);
  return { plan: plannedAt - started, open: performance.now() - plannedAt };
}

function show({ plan, open }: Times): string {
  return `${plan.toFixed(0)} + ${open.toFixed(0)} ms`;
}
