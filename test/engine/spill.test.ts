import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { createSpillMeter } from '../../lib/engine/spill.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const scratch = mkdtempSync(join(tmpdir(), 'strata-spill-'));
after(() => rmSync(scratch, { recursive: true }));

describe('what is spilled', () => {
  const holds = (name: string, bytes: number): string => {
    const folder = join(scratch, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'one.tmp'), new Uint8Array(bytes));
    return folder;
  };
  const look = (meter: ReturnType<typeof createSpillMeter>, name: string, bytes: number) =>
    meter.during(join(scratch, name), async () => void holds(name, bytes));

  test('is the most at a time since it was watched, of all folders together', async () => {
    const meter = createSpillMeter();
    const whole = meter.watch();
    assert.equal(whole(), 0);
    await look(meter, 'a', 500);
    await look(meter, 'a', 300);
    const later = meter.watch();
    assert.equal(later(), 0);
    await look(meter, 'a', 200);
    await look(meter, 'b', 100);
    assert.deepEqual([whole(), later()], [500, 300]);
    meter.emptied(join(scratch, 'a'));
    const last = meter.watch();
    await look(meter, 'b', 250);
    assert.deepEqual([whole(), later(), last()], [500, 300, 250]);
    await look(meter, 'a', 400);
    assert.deepEqual([whole(), later(), last()], [650, 650, 650]);
  });

  test('is looked at where a statement fails, and nothing where there is no folder, or none that can be read', async () => {
    const meter = createSpillMeter();
    const spilled = meter.watch();
    await meter.during(join(scratch, 'none'), async () => undefined);
    writeFileSync(join(scratch, 'file'), 'no folder');
    await meter.during(join(scratch, 'file'), async () => undefined);
    assert.equal(spilled(), 0);
    const failing = meter.during(holds('c', 70), () => Promise.reject(new Error('out of memory')));
    await assert.rejects(failing, /^Error: out of memory$/);
    assert.equal(spilled(), 70);
  });

  test('is looked at while a statement is at work', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const meter = createSpillMeter();
    const spilled = meter.watch();
    const [folder, working] = [holds('d', 90), Promise.withResolvers<void>()];
    const statement = meter.during(folder, () => working.promise);
    t.mock.timers.tick(49);
    assert.equal(spilled(), 0);
    t.mock.timers.tick(1);
    assert.equal(spilled(), 90);
    rmSync(folder, { recursive: true });
    working.resolve();
    await statement;
    const later = meter.watch();
    holds('d', 95);
    t.mock.timers.tick(1_000);
    assert.deepEqual([spilled(), later()], [90, 0]);
  });

  test('by a session is nothing of the next one in its database', async () => {
    const spill = createSpillMeter();
    const engine = createDuckDbEngine({ reuse: true, spill });
    const during = async (text: string): Promise<number> => {
      const spilled = spill.watch();
      await using session = await engine.open({ memoryBytes: 64e6, threads: 1, scratch, folders: [scratch] });
      await session.run({ name: 'work', text: userSql(text) });
      return spilled();
    };
    assert.equal(await during('SELECT 1'), 0);
    assert.ok((await during('CREATE TABLE t AS SELECT hash(i) AS h FROM range(8000000) r(i)')) > 5e6);
    assert.equal(await during('SELECT 1'), 0);
    assert.equal(readdirSync(scratch).filter((name) => name.startsWith('spill-')).length, 1);
  });
});
