import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { renderIncident } from '../../lib/cli/output/incident.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { judgePipeline } from '../../lib/report/status.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { latestOf, simulateIncident } from '../../lib/runtime/simulate-incident.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-simulate-'));
// What others leave in the folder for temporary files is no matter of these.
process.env['TMPDIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

const LOG = { info: () => undefined, warn: () => undefined };
const write = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
/** Every file of the lake with its content. */
const lakeFiles = (): readonly string[] =>
  readdirSync(join(folder, 'lake'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name} ${readFileSync(join(entry.parentPath, entry.name), 'utf8')}`)
    .sort();

test('an incident fails, is told of and is mended, in another lake that is gone afterwards', async () => {
  write(
    'pipelines/shop/pipeline.ts',
    `export default { name: 'shop', sources: { items: { format: 'csv', columns: { id: 'int' } } },
      silver: { items: { from: 'items' } }, slo: { successRate: 99 },
      serve: { postgres: { url: { secret: 'SIMULATED' }, tables: { items: { from: 'silver.items' } } } } };`,
  );
  const lake = await openLocalLake({ root: join(folder, 'lake'), pipelines: join(folder, 'pipelines'), log: LOG });
  await assert.rejects(
    simulateIncident(lake, 'shop', LOG),
    (error) =>
      error instanceof InvalidInput && /bronze\/shop\/items\/ have no file; land one first/.test(error.message),
  );
  write('lake/bronze/shop/items/a.csv', 'id\n1\n');
  write('lake/bronze/shop/items/day=2/a.csv', 'id\n2\n3\n');
  const before = lakeFiles();
  const incident = await simulateIncident(lake, 'shop', LOG);
  assert.deepEqual(lakeFiles(), before);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith('strata-incident-')),
    [],
  );
  const { failed, recovered, alert, at } = incident;
  assert.deepEqual([incident.pipeline, incident.files, incident.bytes], ['shop', 2, 12]);
  assert.deepEqual([failed.status, failed.error?.name], ['FAILED', 'AuditFailed']);
  assert.match(failed.error?.message ?? '', /silver\.items: expectation simulated_incident does not hold/);
  assert.equal(alert?.subject, `Strata: shop failed: AuditFailed (${failed.run_id})`);
  assert.match(alert?.message ?? '', /Published: nothing/);
  assert.deepEqual([recovered.status, recovered.tables['shop_silver.items']?.rows_added], ['SUCCEEDED', 3]);
  // Its tables are no others', which they would take the place of.
  assert.equal(recovered.serve, undefined);
  const during = judgePipeline(incident.during, at.during);
  assert.deepEqual([during.open_incident?.failures, during.mttr_ms, during.breached], [1, null, ['successRate']]);
  const after = judgePipeline(incident.after, at.after);
  const [first, second] = incident.after.runs.toSorted((a, b) => a.finished - b.finished);
  assert.deepEqual([after.open_incident, after.incidents, after.runs.success_rate], [null, 1, 50]);
  // From the end of the failure to that of the next success.
  assert.equal(after.mttr_ms, Number(second?.finished) - Number(first?.finished));
  const text = renderIncident({ ...incident, during, after }, { lake: 'here' });
  assert.match(
    text,
    /^an incident of shop, simulated with 2 files \(12 B\) in a lake of its own; here was not touched\n\n1\. run \S+ FAILED after /,
  );
  assert.match(text, /\n {3}incident open since \S+; breached: successRate\n2\. run \S+ SUCCEEDED after /);
  assert.match(
    text,
    /\n {3}incident over: mean time to repair .*, success rate 50 % of 2 runs; breached: successRate\n\nthe alert:\n\n {2}Run /,
  );
  const silent = renderIncident(
    {
      ...incident,
      alert: null,
      during: { ...during, open_incident: null },
      after: { ...after, mttr_ms: null, breached: [] },
    },
    { lake: 'here' },
  );
  assert.match(silent, /\n {3}nobody was told\n {3}no incident is open\n[^\n]+\n {3}the incident is not over\n$/);
});

test('the latest files that fit are taken, and one that does not fit alone', () => {
  const files = [3, 1, 2].map((n) => ({ key: `f${n}`, size: n }));
  const names = (bytes: number) => latestOf(files, bytes).map(({ key }) => key);
  assert.deepEqual([names(6), names(5), names(4), names(1)], [['f3', 'f2', 'f1'], ['f3', 'f2'], ['f3'], ['f3']]);
  assert.deepEqual(latestOf([], 5), []);
});
