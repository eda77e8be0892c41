import { openLocalLake } from '../lib/runtime/local.ts';

/** `strata run` before there is a command: `node run-lake.ts <pipeline> <root> <pipelines>`. */
const [pipeline = '', root = '', pipelines = ''] = process.argv.slice(2);
const quiet = { info: () => undefined, warn: () => undefined };
const lake = await openLocalLake({ root, pipelines, log: quiet });
const answer = await lake.run({ pipeline });
process.stdout.write(JSON.stringify(answer.kind === 'ended' ? answer.result : answer));
