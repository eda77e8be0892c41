import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Figure } from '../../bench/figures.ts';
import { type Report, renderReport, renderTable } from '../../bench/report.ts';
import { parseUsage, peakBytesOf } from '../../bench/usage.ts';

const FIGURES: readonly Figure[] = [
  { name: 'retail: time', value: 1.333, unit: 'x', bound: 1.5, detail: '2.00 s to 1.50 s' },
  { name: 'peak', value: 1.3, unit: 'GB', bound: 1.2, detail: 'a|b' },
  { name: 'shown', value: 2, unit: 'x', bound: null, detail: '' },
];

const REPORT: Report = {
  date: '2026-01-02',
  machine: {
    cores: 2,
    processor: 'a processor',
    memoryGb: 8.2,
    platform: 'Linux x64',
    node: '24.0.0',
    duckdb: 'v1.5.6',
  },
  rounds: 3,
  quick: false,
  figures: FIGURES,
  fingerprints: [{ table: 'gold.t', rows: '2', keys: '2', sums: { revenue: '1.50' } }],
  skipped: ['pandas: not installed for python3'],
};

test('the table for a terminal lines its columns up and leaves no blank at a line end', () => {
  assert.equal(
    renderTable(FIGURES),
    [
      'figure        value    bound    held               from',
      'retail: time  1.33x    1.50x    held               2.00 s to 1.50 s',
      'peak          1.30 GB  1.20 GB  missed by 0.10 GB  a|b',
      'shown         2.00x    -        -',
      '',
    ].join('\n'),
  );
});

describe('the report', () => {
  const text = renderReport(REPORT);
  it('gives every figure with its bound and whether it held', () => {
    assert.match(text, /^\| retail: time \| 1\.33x \| 1\.50x \| held \| 2\.00 s to 1\.50 s \|$/m);
    assert.match(text, /^\| shown \| 2\.00x \| - \| - \| {2}\|$/m);
  });
  it('keeps a bar in a cell from ending the cell', () => {
    assert.match(text, /^\| peak \| 1\.30 GB \| 1\.20 GB \| missed by 0\.10 GB \| a\\\|b \|$/m);
  });
  it('says on what machine and when', () => {
    assert.match(
      text,
      /2026-01-02, 2 cores \(a processor\), 8 GB of memory, Linux x64, Node 24\.0\.0, DuckDB v1\.5\.6/,
    );
    assert.match(text, /full sizes, 3 rounds/);
  });
  it('says why a bound was missed, and nothing of those that held', () => {
    const why = 'The floor does less.';
    const figures = [FIGURES[0], { ...FIGURES[1], why }] as readonly Figure[];
    const reasons = renderReport({ ...REPORT, figures })
      .split('\n')
      .filter((line) => line.startsWith('- '));
    assert.deepEqual(reasons, ['- peak: missed by 0.10 GB. The floor does less.']);
  });
  it('gives fingerprints and what was skipped', () => {
    assert.match(text, /^\| gold\.t \| 2 rows, 2 keys, revenue 1\.50 \|$/m);
    assert.match(text, /^Skipped: pandas: not installed for python3\.$/m);
  });
  it('says when its sizes are not the ones named', () => {
    assert.match(renderReport({ ...REPORT, quick: true }), /a tenth of the sizes/);
  });
});

describe('the usage of a measured process', () => {
  it('is read back', () => {
    assert.deepEqual(parseUsage('{"cpuMs":12.5,"peakBytes":1024}'), { cpuMs: 12.5, peakBytes: 1024 });
  });
  for (const text of ['{}', '{"cpuMs":"1","peakBytes":1}', '{"cpuMs":1}']) {
    it(`${text} is an error`, () => assert.throws(() => parseUsage(text), /expected numbers/));
  }
  it('takes the peak from the line of its own, in bytes', () => {
    const status = 'Name:\tnode\nVmPeak:\t   9999 kB\nVmHWM:\t   2048 kB\nVmRSS:\t  1 kB\n';
    assert.equal(peakBytesOf(status), 2_097_152);
    assert.equal(peakBytesOf(''), undefined);
  });
});
