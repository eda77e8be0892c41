import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MonthCost } from '../../lib/query/month-cost.ts';
import { type Ended, strataHere } from '../cli/child.ts';
import type { Outcome, Steps } from '../rehearsal/steps.ts';
import type { Account } from './account.ts';

/** The folder of what is deployed. */
export const PIPELINES = join(import.meta.dirname, 'pipelines');
const ORDERS = 'silver.orders';
/** Runs that publish something, whoever started them. */
const LEAST_PRICED = 6;
const HEADER = 'id,customer,day,amount,note';

export type SmokeOptions = {
  readonly account: Account;
  readonly steps: Steps;
  /** For files, and for the lake that answers are compared with. */
  readonly folder: string;
  /** Bytes of the large file; more than the 16 MiB above which files come in parts. */
  readonly largeBytes: number;
};

type Smoke = SmokeOptions & { readonly laptop: (...args: readonly string[]) => Promise<Ended> };

/**
 * Ten runs of a pipeline that is deployed, each with what no API server shows as an account does, and the same on the laptop: after
 * each the tables have the same rows. What differs is counted in `steps`.
 */
export async function runSmoke(options: SmokeOptions): Promise<void> {
  const base = ['--root', join(options.folder, 'laptop'), '--pipelines', PIPELINES];
  const smoke: Smoke = { ...options, laptop: (...args) => strataHere([...args, ...base]) };
  await mkdir(options.folder, { recursive: true });
  await land(smoke, 'orders', 'first', orders(1, 200));
  await land(smoke, 'customers', 'first', `id,at,name\n1,1,Ada\n2,1,Bob\n`);
  await run(smoke, '1-first', 'the first files');
  await run(smoke, '2-nothing', 'nothing new');
  await land(smoke, 'orders', 'rejected', `${HEADER}\nx,1,2026-01-01,1,all of it is rejected\n`);
  await run(smoke, '3-rejected', 'maps that are empty: no row is accepted');
  await land(smoke, 'orders', 'large', largeOrders(options.largeBytes));
  await run(smoke, '4-large', 'a file of more than 16 MiB');
  await land(smoke, 'customers', 'late', `id,at,name\n1,2,Ada Lovelace\n3,1,Cy\n`);
  await options.account.turnAway('Commit');
  await run(smoke, '5-throttled', 'calls of Commit are turned away for a while');
  await redriven(smoke);
  await changedByAthena(smoke);
  await run(smoke, '9-backfill', 'all tables anew', ['backfill', 'shop']);
  await run(smoke, '10-compact', 'small files are joined', ['compact', 'shop']);
  await options.steps.check('every expectation holds on the tables as they are', async () => {
    const { code, stdout, stderr } = await options.account.strata('check', 'shop');
    return { problems: code === 0 ? [] : [`check ended with ${code}: ${stdout}${stderr}`] };
  });
  await options.steps.check('what the runs have cost is told, beside the estimates', () => costTold(smoke));
}

/** Of each run that ended well, the estimate and the record; a run that an upload started counts as well. */
async function costTold({ account }: Smoke): Promise<Outcome> {
  const { code, stdout, stderr } = await account.strata('cost', 'shop', '--json');
  if (code !== 0) return { problems: [`cost ended with ${code}: ${stderr}`] };
  const [shop] = (JSON.parse(stdout) as MonthCost).pipelines;
  const { runs = 0, left_out, estimated_usd = 0, recorded_usd = 0 } = shop ?? {};
  const told = runs >= LEAST_PRICED && left_out?.gone === 0 && estimated_usd > 0 && recorded_usd > 0;
  const detail = `${runs} runs, estimated ${estimated_usd.toFixed(4)} and recorded ${recorded_usd.toFixed(4)} USD`;
  return { problems: told ? [] : [`of ${detail}: ${stdout}`], detail };
}

/** A run that a rule stops; its file is withdrawn, another lands, and the execution is redriven. */
async function redriven(smoke: Smoke): Promise<void> {
  const { account, steps } = smoke;
  await land(smoke, 'orders', 'wrong', `${HEADER}\n9001,1,2026-03-01,1000000,more than there may be\n`, false);
  await steps.check('6 a run that breaks a rule fails, and publishes nothing', async () => {
    const { code, stdout, stderr } = await account.strata('run', 'shop', '--run-id', '6-fails', '--json');
    const named = `${stdout}${stderr}`.includes('no_fortune');
    const problems = code === 2 && named ? [] : [`it ended with ${code}: ${stdout}${stderr}`];
    return { problems: [...problems, ...(await differences(smoke)).problems] };
  });
  await account.removeUpload('orders', 'wrong.csv');
  await land(smoke, 'orders', 'right', `${HEADER}\n9001,1,2026-03-01,10,as it may be\n`);
  if (account.lacks.redrive === undefined) {
    await steps.check('6 redriven, it ends SUCCEEDED', async () => {
      const status = await account.redrive('6-fails');
      return { problems: status === 'SUCCEEDED' ? [] : [`it ended ${status}`] };
    });
  } else await leftOut(steps, 'a redrive', account.lacks.redrive);
  await run(smoke, '7-after', 'what the failed run had left');
}

/** Athena deletes rows and rewrites files; runs go on with what it made. */
async function changedByAthena(smoke: Smoke): Promise<void> {
  const { account, steps } = smoke;
  const { athena: reason } = account.lacks;
  if (reason === undefined) {
    await steps.step('DELETE and OPTIMIZE on Athena', async () => {
      await account.athena(`DELETE FROM ${tableName(ORDERS)} WHERE id = 1`);
      await account.athena(`OPTIMIZE ${tableName(ORDERS)} REWRITE DATA USING BIN_PACK`);
    });
  } else await leftOut(steps, 'DELETE and OPTIMIZE', reason);
  await land(smoke, 'orders', 'after', orders(10_001, 20));
  await run(
    smoke,
    '8-changed',
    'beside what Athena changed',
    ['run', 'shop'],
    reason === undefined ? { [ORDERS]: -1 } : {},
  );
}

async function leftOut(steps: Steps, what: string, reason: string): Promise<void> {
  await steps.check(`${what}: left out`, async () => ({ problems: [], detail: reason }));
}

/** On both sides; `apart`: rows that the deployed tables have more. */
async function run(
  smoke: Smoke,
  name: string,
  what: string,
  command: readonly string[] = ['run', 'shop'],
  apart: Readonly<Record<string, number>> = {},
): Promise<void> {
  const { account, laptop, steps } = smoke;
  await steps.check(`${name}: ${what}`, async () => {
    const there = await account.strata(...command, '--run-id', name, '--json');
    const here = await laptop(...command, '--run-id', name, '--json');
    const problems = [there, here].flatMap(({ code, stdout, stderr }) =>
      code === 0 ? [] : [`it ended with ${code}: ${stdout}${stderr}`],
    );
    const { problems: different, detail = '' } = await differences(smoke, apart);
    return { problems: [...problems, ...different], detail };
  });
}

/** Tables that have other rows than on the laptop; of gold, which depends on all others, what is in them. */
async function differences({ account, laptop }: Smoke, apart: Readonly<Record<string, number>> = {}): Promise<Outcome> {
  const [there, here] = [await rowsOf(account.strata), await rowsOf(laptop)];
  const problems = [...new Set([...there.keys(), ...here.keys()])].flatMap((name) => {
    const expected = (here.get(name) ?? 0) + (apart[name] ?? 0);
    return there.get(name) === expected ? [] : [`${name} has ${there.get(name)} rows; expected ${expected}`];
  });
  const sql = `SELECT customer, name, orders, CAST(amount AS varchar) AS amount FROM ${tableName('gold.by_customer')} ORDER BY customer`;
  if (account.lacks.athena === undefined && problems.length === 0 && Object.keys(apart).length === 0) {
    const [far, near] = [await account.strata('query', sql, '--json'), await laptop('query', sql, '--json')];
    const rows = ({ stdout }: Ended): string => JSON.stringify((JSON.parse(stdout) as { rows: unknown }).rows);
    if (rows(far) !== rows(near)) problems.push(`${sql}: ${rows(far)}; expected ${rows(near)}`);
  }
  return { problems, detail: `${there.size} tables, ${[...there.values()].reduce((sum, n) => sum + n, 0)} rows` };
}

/** By layer and name. The quarantine counts arrivals, and the books the runs: these differ where an upload starts a run too. */
async function rowsOf(strata: (...args: readonly string[]) => Promise<Ended>): Promise<ReadonlyMap<string, number>> {
  const { code, stdout, stderr } = await strata('tables', '--json');
  if (code !== 0) throw new Error(`tables ended with ${code}: ${stderr}`);
  const tables = JSON.parse(stdout) as readonly { readonly name: string; readonly rows: number }[];
  const own = tables.map(({ name, rows }) => [name.replace(/^shop_(\w+)\./, '$1.'), rows] as const);
  return new Map(own.filter(([name]) => !name.startsWith('ops.')));
}

async function land(smoke: Smoke, source: string, name: string, text: string, also = true): Promise<void> {
  const path = join(smoke.folder, `${name}.csv`);
  await writeFile(path, text);
  const sides = also ? [smoke.account.strata, smoke.laptop] : [smoke.account.strata];
  for (const strata of sides) {
    const { code, stderr } = await strata('land', 'shop', source, path);
    if (code !== 0) throw new Error(`land ended with ${code}: ${stderr}`);
  }
}

function tableName(name: string): string {
  return `shop_${name}`;
}

function orders(from: number, count: number, note = 'small'): string {
  const line = (n: number): string => `${from + n},${1 + (n % 4)},2026-0${1 + (n % 3)}-05,${n % 90}.25,${note}`;
  return `${[HEADER, ...Array.from({ length: count }, (_, n) => line(n))].join('\n')}\n`;
}

function largeOrders(bytes: number): string {
  const note = 'x'.repeat(10_000);
  return orders(2_001, Math.ceil(bytes / note.length), note);
}
