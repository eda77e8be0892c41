import { findNewFiles } from '../../lib/lake/ops/find-new.ts';
import { surveyPipeline } from '../../lib/lake/ops/survey.ts';
import type { ObjectInfo } from '../../lib/ports.ts';
import { landEvent, openOpeningLake } from './lake.ts';

/** What opening a run comes to: `node open.ts <lake> <files of it> <named | all> <new files>` prints milliseconds and files found. */
const [root = '', files = '', how = '', fresh = ''] = process.argv.slice(2);
const deps = await openOpeningLake(root, Number(files));
const names = Array.from({ length: Number(fresh) }, (_, n) => `a-new/${n}.csv`);
for (const [n, name] of names.entries()) await landEvent(root, name, 1_000 + n);
const named: ObjectInfo[] = [];
for await (const info of deps.store.list('bronze/events/events/a-new/')) named.push(info);
const spec = await deps.specs('events');
await using session = await deps.engine.open({ ...deps.settings, memoryBytes: 256 * 2 ** 20 });
const started = performance.now();
const { waiting } =
  how === 'named' ? await findNewFiles(deps, session, spec, named) : await surveyPipeline(deps, 'events');
const ms = performance.now() - started;
process.stdout.write(JSON.stringify({ ms, found: [...waiting.values()].flat().length }));
