import { findNewFiles } from '../../lib/lake/ops/find-new.ts';
import { surveyPipeline } from '../../lib/lake/ops/survey.ts';
import type { ObjectInfo } from '../../lib/ports.ts';
import { dayOf, FOLDER, landEvent, openOpeningLake } from './lake.ts';

/**
 * What finding new files comes to: `node open.ts <lake> <files of it> <how> <new files>` prints milliseconds and how many were
 * found. `named` are files of the last day, between those that are known, `spread` such of as many days, and `all` compares all of bronze.
 */
const [root = '', files = '', how = '', fresh = ''] = process.argv.slice(2);
const [many, few] = [Number(files), Number(fresh)];
const deps = await openOpeningLake(root, many);
const days = Array.from({ length: few }, (_, n) => dayOf(how === 'spread' ? Math.floor((n * many) / few) : many - 1));
const names = days.map((day, n) => `${day}event-late-${n}.csv`);
for (const [n, name] of names.entries()) await landEvent(root, name, 1_000 + n);
const found = await Promise.all(names.map((name) => deps.store.head(`${FOLDER}${name}`)));
const named = found.flatMap((info): ObjectInfo[] => (info === undefined ? [] : [info]));
const spec = await deps.specs('events');
await using session = await deps.engine.open(deps.settings);
const started = performance.now();
const landed =
  how === 'all' ? await surveyPipeline(deps, 'events') : await findNewFiles(deps, session, spec, { named });
const ms = performance.now() - started;
process.stdout.write(JSON.stringify({ ms, found: [...landed.waiting.values()].flat().length }));
