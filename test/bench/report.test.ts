import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, it, test } from 'node:test';
import type { Figure } from '../../bench/figures.ts';
import { MEASUREMENTS } from '../../bench/measurements.ts';
import { PEERS, readPackages } from '../../bench/peers/environments.ts';
import { type Recorded, readNotes, readRecord } from '../../bench/records.ts';
import { type Report, renderReport, renderTable, type Section } from '../../bench/report.ts';
import { parseUsage, peakBytesOf } from '../../bench/usage.ts';

const FIGURES: readonly Figure[] = [
  { name: 'retail: time', value: 1.333, unit: 'x', bound: 1.5, detail: '2.00 s to 1.50 s' },
  { name: 'peak', value: 1.3, unit: 'GB', bound: 1.2, detail: 'a|b' },
  { name: 'shown', value: 2, unit: 'x', bound: null, detail: '' },
];

const RECORDED: Recorded = {
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
  load: 1.5,
  figures: FIGURES,
  fingerprints: [{ table: 'gold.t', rows: '2', keys: '2', sums: { revenue: '1.50' } }],
  skipped: ['pandas: not installed for python3'],
};

const SECTION: Section = { name: 'retail', title: 'Retail', recorded: RECORDED, notes: 'Tried: less.' };
const REPORT: Report = {
  sections: [SECTION],
  peers: [{ name: 'Polars', package: 'polars', leavesOut: 'accounts' }],
  packages: ['polars-hash==0.9.3', 'polars==1.44.2'],
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
    assert.match(text, /2 cores \(a processor\), 8 GB of memory, Linux x64, Node 24\.0\.0, DuckDB v1\.5\.6/);
    assert.match(text, /Measured on 2026-01-02, 3 rounds, at a load of 1\.5, by `--only retail`/);
  });
  it('says why a bound was missed, and nothing of those that held', () => {
    const why = 'The floor does less.';
    const figures = [FIGURES[0], { ...FIGURES[1], why }] as readonly Figure[];
    const reasons = renderReport({
      ...REPORT,
      sections: [{ ...SECTION, recorded: { ...RECORDED, figures, skipped: [] } }],
    })
      .split('\n')
      .filter((line) => line.startsWith('- '));
    assert.deepEqual(reasons, ['- peak: missed by 0.10 GB. The floor does less.']);
    assert.match(text, /^- peak: missed by 0\.10 GB\. See below\.$/m);
    const silent = renderReport({ ...REPORT, sections: [{ ...SECTION, notes: '' }] });
    assert.match(silent, /^- peak: missed by 0\.10 GB\. No reason is known\.$/m);
  });
  it('gives fingerprints and what was skipped', () => {
    assert.match(text, /^\| gold\.t \| 2 rows, 2 keys, revenue 1\.50 \|$/m);
    assert.match(text, /^- Skipped: pandas: not installed for python3\.$/m);
  });
  it('lists what is missed before all sections', () => {
    assert.match(text, /^\| Retail \| peak \| 1\.30 GB \| 1\.20 GB \| missed by 0\.10 GB \|$/m);
  });
  it('gives the version of each peer, and what it leaves out', () => {
    assert.match(text, /^\| Polars \| 1\.44\.2 \| accounts \|$/m);
    assert.throws(
      () => renderReport({ ...REPORT, packages: ['polars-hash==0.9.3'] }),
      /no file of packages has polars/,
    );
  });
  it('has what was written by hand, and says what was never measured', () => {
    assert.match(text, /^Tried: less\.$/m);
    const never = renderReport({ ...REPORT, sections: [{ name: 'diff', title: 'Diff', notes: 'By hand.' }] });
    assert.match(never, /## Diff\n\nNot measured at full size yet \(`--only diff`\)\.\n\nBy hand\.\n/);
    assert.doesNotMatch(renderReport({ ...REPORT, sections: [{ name: 'diff', title: 'Diff', notes: '' }] }), /## Diff/);
  });
});

describe('the peers', () => {
  it('are installed in the versions that files name', async () => {
    const packages = await readPackages();
    for (const line of packages) assert.match(line, /^[a-z0-9-]+==[0-9.]+$/);
    for (const { name, package: known } of PEERS) {
      assert.ok(
        packages.some((line) => line.startsWith(`${known}==`)),
        name,
      );
    }
  });
});

describe('what is kept of measurements', () => {
  it('is what the results show, each under a name that can be asked for', async () => {
    const folder = new URL('../../bench/results/', import.meta.url);
    const sections: Section[] = [];
    for (const [name, { title }] of Object.entries(MEASUREMENTS)) {
      const recorded = await readRecord(name);
      sections.push({ name, title, notes: await readNotes(name), ...(recorded === undefined ? {} : { recorded }) });
    }
    const names = (await readdir(folder)).map((file) => file.replace(/\.(json|md)$/, ''));
    assert.deepEqual(
      names.filter((name) => !(name in MEASUREMENTS)),
      [],
    );
    const shown = await readFile(new URL('../../bench/results.md', import.meta.url), 'utf8');
    assert.equal(shown, renderReport({ sections, peers: PEERS, packages: await readPackages() }));
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
