import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LineageNode } from '../../lib/core/page-facts.ts';
import type { RunFact } from '../../lib/core/run-fact.ts';
import { renderBars, renderLines, renderStacks } from '../../lib/report/page/charts.ts';
import { html, markdownText } from '../../lib/report/page/html.ts';
import { placeNodes, renderLineage } from '../../lib/report/page/lineage.ts';
import { renderMarkdown } from '../../lib/report/page/markdown.ts';
import { idOf, modelCosts, renderOverview, stateText } from '../../lib/report/page/overview.ts';
import { renderPage } from '../../lib/report/page/page.ts';
import { buildReport, figuresByDay, type PipelineReport } from '../../lib/report/page/report.ts';
import { signed } from '../../lib/report/page/runs.ts';
import { HOSTILE, makeLake, NOW } from './made-lake.ts';

const DAY = 86_400_000;
const built = buildReport(makeLake({ pipelines: 2, models: 12, runs: 120 }));
const page = renderPage(built);

function all(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}

describe('a page', () => {
  test('names nothing beside itself, and has no script', () => {
    // Text has no < of its own.
    const tags = all(page, /(<[^>]*>)/g).map((tag) => tag.replaceAll(/="[^"]*"/g, '='));
    assert.doesNotMatch(tags.join('\n'), /<(script|link|img|iframe|object|form|base)\b|\s(src|on\w+|style)=/i);
    assert.doesNotMatch(page, /https?:|url\(|@import/i);
    assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'/);
  });

  test('has an end for each link, and no id twice', () => {
    const ids = all(page, /\sid="([^"]*)"/g);
    assert.equal(new Set(ids).size, ids.length);
    const links = all(page, /\shref="([^"]*)"/g);
    assert.ok(links.length > 30, `${links.length}`);
    for (const link of links) assert.ok(link.startsWith('#') && ids.includes(link.slice(1)), link);
  });

  test('has the values of each picture as a table', () => {
    const figures = all(page, /<figure\b([\s\S]*?)<\/figure>/g);
    assert.equal(figures.length, 2 * 8);
    for (const figure of figures) {
      assert.match(
        figure,
        /<figcaption>[\s\S]*<svg [^>]*(role="img" aria-label="|role="group")[\s\S]*<table><caption>/,
      );
    }
  });

  test('can be read aloud and gone through by keys', () => {
    for (const landmark of ['header', 'nav aria-label="Pipelines"', 'main id="content" tabindex="-1"', 'footer'])
      assert.equal(page.split(`<${landmark}>`).length, 2, landmark);
    assert.match(page, /^<!doctype html>\n<html lang="en">/);
    assert.match(page, /<body><a class="skip" href="#content">/);
    const levels = all(page, /<h([1-6])\b/g).map(Number);
    assert.equal(levels[0], 1);
    assert.equal(levels.filter((level) => level === 1).length, 1);
    for (const [at, level] of levels.entries()) assert.ok(at === 0 || level <= (levels[at - 1] ?? 0) + 1);
    const tables = all(page, /<table>([\s\S]*?)<\/table>/g);
    for (const table of tables)
      assert.match(
        table,
        /^<caption>[^<]+<\/caption>\n<thead><tr>(<th scope="col"( class="(n|prose)")?>[^<]*<\/th>)+<\/tr>/,
      );
    assert.equal(
      all(page, /<tr[^>]*>(<t[dh][^>]*>)/g).filter((cell) => !/^<th scope="(row|col)"/.test(cell)).length,
      0,
    );
    assert.equal(all(page, /<div class="wide"(?! role="region" tabindex="0" aria-label=")/g).length, 0);
  });

  test('shows what came from data as text', () => {
    assert.ok(!page.includes('<script>') && !page.includes('<img') && !page.includes('\u202E'));
    assert.ok(page.includes('&lt;/style&gt;&lt;/title&gt;&lt;script&gt;document.title=&#39;taken&#39;&lt;/script&gt;'));
    const shown = all(page, /(&lt;script&gt;document)/g).length;
    // Owner, description, code, table behind, errors, columns, descriptions of tables, and their legends and tables.
    assert.ok(shown > 20, `${shown}`);
  });

  test('says what is wrong, in words too', () => {
    const [one] = built.pipelines;
    assert.ok(one);
    const items = new Map(stateText(one).map(([name, text, wrong]) => [name, [text, wrong]]));
    assert.deepEqual(items.get('last run'), ['tuned-59 SUCCEEDED 0 ms ago', false]);
    assert.deepEqual(items.get('freshness'), ['0 ms since the last success', true]);
    assert.deepEqual(items.get('incident'), ['none is open', false]);
    assert.deepEqual(items.get('mean time to repair'), ['12 h 00 min, of 1 incident', true]);
    assert.deepEqual(items.get('behind'), [`shop_0_gold.m1 (${HOSTILE})`, true]);
    assert.deepEqual(items.get('maintenance due'), ['compact shop_0_silver.m0', false]);
    assert.deepEqual(items.get('cost'), ['$0.0020 a run, $0.12 a month; on Glue $3.43 a month or more', false]);
    const { status } = one;
    const failed = {
      ...status,
      last_run: status.last_run && { ...status.last_run, status: 'FAILED' as const, error: 'E: x' },
    };
    const since = new Date(NOW - 120_000).toISOString();
    const many = Array.from({ length: 12 }, (_, at) => ({ table: `t${at}`, why: 'w' }));
    const worse = {
      ...failed,
      owner: null,
      tier: null,
      behind: many,
      maintenance: [],
      open_incident: { since, failures: 3, error: null },
    };
    const bad = new Map(
      stateText({ ...one, cost: null, status: worse }).map(([name, text, wrong]) => [name, [text, wrong]]),
    );
    assert.deepEqual(bad.get('owner'), ['nobody', false]);
    assert.deepEqual(bad.get('last run'), ['tuned-59 FAILED 0 ms ago: E: x', true]);
    assert.deepEqual(bad.get('incident'), ['open for 2 min 00 s, 3 failed', true]);
    assert.match(`${bad.get('behind')}`, /t9 \(w\), 2 more,true$/);
    assert.deepEqual(bad.get('maintenance due'), ['nothing', false]);
    assert.deepEqual(
      [bad.get('cost'), bad.get('suspended'), bad.get('awaits approval')],
      [undefined, undefined, undefined],
    );
    const awaiting = { run_id: 'r9', since, expires_at: '2026-04-01T00:00:00Z', digest: 'd', because: [] };
    const held = { ...one, status: { ...worse, suspended_files: 2, awaiting } };
    const waits = new Map(stateText(held).map(([name, text, wrong]) => [name, [text, wrong]]));
    assert.deepEqual(waits.get('suspended'), ['2 files', true]);
    assert.deepEqual(waits.get('awaits approval'), ['run r9, rejected at 2026-04-01T00:00:00Z', true]);
    // In the list of all pipelines, too, with which a site begins.
    const cells = (first: PipelineReport) =>
      all(renderOverview({ ...built, pipelines: [first] }, idOf).markup, /<td[^>]*>([^<]*)</g);
    assert.equal(cells(one)[1], '-');
    assert.equal(cells(held)[1], '3 failed runs, approval of r9, 2 suspended files');
  });

  test('has each figure in its place', () => {
    for (const row of [
      // A p95 of few runs is grey.
      '<tr><th scope="row"><a href="#pipeline-shop_5f_1">shop_1</a></th><td><span class="bad">freshness, ready, successRate, quarantineRate, mttr</span></td><td>-</td><td class="n">60</td><td class="n">98.3 %</td><td class="n">3 min 54 s</td><td class="n">4 min 00 s</td><td class="n">7 min 00 s</td><td class="n">0 ms ago</td><td class="n">26</td><td class="n">0</td><td class="n">$0.0020</td></tr>',
      '<tr id="model-shop_5f_1-silver.m0"><th scope="row">silver.m0</th><td class="n">40</td><td class="n">1.0 s</td><td class="n">900 ms</td><td class="n">2.0 s</td><td class="n">97.5 %</td><td class="n">1,000</td><td class="n">$0.0010</td><td class="n">$0.040</td></tr>',
      '<tr><th scope="row">tuned-59</th><td>succeeded</td><td><time>2026-03-31T11:56:00Z</time></td><td class="n">4 min 00 s</td><td class="n">$0.0020</td><td class="prose">-</td></tr>',
      '<tr><th scope="row"><time>2026-03-07T00:00:00Z</time></th><td><time>2026-03-07T12:00:00Z</time></td><td class="n">1</td><td class="prose">AuditFailed: no</td></tr>',
      '<tr><th scope="row">RANGE_ERROR</th><td class="n">12</td><td class="n">1</td><td class="n">3</td></tr>',
      '<tr><th scope="row">shop_1_silver.m0</th><td class="n">1,000</td><td class="n">2</td><td class="n">1</td><td class="n">note, 25 %</td><td>unique</td></tr>',
      '<td><span class="bad">not unique: id</span></td></tr>',
      '<tr><th scope="row">silver.m0</th><td class="n">39</td><td class="n">39</td><td class="n">1.0 s</td><td class="n">500 ms</td><td class="n">-50.0 %</td><td class="n">$0.0010</td><td class="n">$0.00025</td><td class="n">-75.0 %</td></tr>',
      '<tr id="table-shop_5f_1-shop_5f_1_5f_gold.m2"><th scope="row">shop_1_gold.m2</th><td>gold</td><td><a href="#table-shop_5f_1-shop_5f_1_5f_silver.m0">shop_1_silver.m0</a>, <a href="#table-shop_5f_1-shop_5f_1_5f_silver.m1">shop_1_silver.m1</a></td><td class="n">2,000</td>',
      '<tr><th scope="row">shop_1_silver.m0</th><td>short</td><td>len(note) &lt; 9</td><td>warn</td><td><span class="bad">broken</span></td><td><time>2026-03-31T11:00:00Z</time></td><td>tuned-9</td><td>for 3 rows</td></tr>',
      '<tr><th scope="row">write shop_1_silver.m0 (unit 2)</th><td class="n">1.5 s</td><td class="n">2,000</td><td class="n">1.0 kB</td><td class="n">0 B</td><td class="n">5.0 MB</td><td class="n">0 B</td><td><details><summary>2 operators</summary><ul class="columns"><li>HASH_JOIN <span class="dim">10 rows, 80 B, 4 ms</span></li><li>· READ_PARQUET <span class="dim">1,000 rows, 8.0 kB, 1 ms</span></li></ul></details></td></tr>',
      '<tr><th scope="row">count (unit 1)</th><td class="n">2 ms</td><td class="n">2,000</td><td class="n">1.0 kB</td><td class="n">0 B</td><td class="n">5.0 MB</td><td class="n">0 B</td><td>-</td></tr>',
      '<td>new</td><td>id &lt; 0</td><td>warn</td><td><span class="dim">not known</span></td><td>-</td><td>-</td><td>-</td></tr>',
      '<tr><th scope="row">2026-03-02</th><td class="n">0</td><td class="n">3</td></tr>',
      '<td class="prose">-</td><td><details><summary>2 columns</summary><ul class="columns"><li>id <span class="dim">bigint</span>: The order.</li><li>note <span class="dim">string, 25 % null</span></li></ul></details></td></tr>',
    ])
      assert.ok(page.includes(row), row);
    const few = makeLake({ pipelines: 1, models: 3, runs: 10 });
    assert.match(
      renderPage(buildReport(few)),
      /<td class="n"><span class="dim">6 min 3\d s \(of 10 runs\)<\/span><\/td>/,
    );
    assert.deepEqual([signed(200), signed(-1.25), signed(0), signed(null)], ['+200.0 %', '-1.3 %', '0.0 %', '-']);
  });

  test('says where promises are not kept, and what lasts', () => {
    const lake = makeLake({ pipelines: 1, models: 3, runs: 11 });
    const text = renderPage(buildReport(lake));
    assert.match(
      text,
      /<summary>Where a promise was not kept<\/summary>[\s\S]*<tr><th scope="row">success rate<\/th><td><time>[^<]+<\/time><\/td><td><time>[^<]+<\/time><\/td><td>tuned-10<\/td><\/tr>/,
    );
    assert.match(text, /<tr><th scope="row">freshness<\/th><td><time>[^<]+<\/time><\/td><td>lasts<\/td>/);
    assert.match(
      text,
      /<tr><th scope="row"><time>2026-03-31T12:00:00Z<\/time><\/th><td><span class="bad">lasts<\/span><\/td><td class="n">1<\/td>/,
    );
    assert.match(page, /id="models-shop_5f_1"[\s\S]*?<tbody>\n<tr><th scope="row">gold\.m5</);
    const [one] = lake.pipelines;
    assert.ok(one);
    for (const shown of [
      '<span class="bad">breached</span>',
      '<span class="good">met</span>',
      '<p>Sales of a shop.</p>',
    ])
      assert.ok(page.includes(shown), shown);
    assert.match(text, /<span class="dim">unknown<\/span>/);
    const rejected = [{ day: '2026-03-30', code: 'A', rows: 2 }];
    const quality = [{ table: 't', column: 'c', rows: 1, nulls: 0, key_ok: null }];
    const plain = renderPage(buildReport({ ...lake, pipelines: [{ ...one, rejected, quality }] }));
    assert.match(
      plain,
      /<th scope="row">2026-03-30<\/th><td class="n">2<\/td><\/tr>\n<tr><th scope="row">2026-03-31<\/th><td class="n">0<\/td>/,
    );
    assert.ok(
      plain.includes(
        '<th scope="row">t</th><td class="n">1</td><td class="n">1</td><td class="n">0</td><td class="n">-</td><td>-</td></tr>',
      ),
    );
    assert.equal(all(page, /id="models-shop_5f_1"([\s\S]*?)<\/svg>/g)[0]?.split('<rect').length, 7);
    const models = one.models.map((model) => ({ ...model, runs: 20 }));
    const markdown = renderMarkdown(buildReport({ ...lake, pipelines: [{ ...one, models }] }));
    assert.match(markdown, /; mean 3 min 24 s, p50 3 min 00 s, p95 6 min 33 s \(of few runs\)\.\n/);
    assert.match(markdown, /\n\| silver\.m0 \| 20 \| 1\.0 s \| 900 ms \| 2\.0 s \\?\(of few runs\\?\) \|/);
  });

  test('has its times on one line, to the second, and room for sentences', () => {
    assert.doesNotMatch(page, /\d\.\d{3}Z/);
    assert.deepEqual(
      all(page, /<t[hd][^>]*>([^<]*\d\dT\d\d:\d\d[^<]*)</g).filter((cell) => /^[-\d:TZ]+$/.test(cell)),
      [],
    );
    assert.ok(page.includes('As of <time>2026-03-31T12:00:00Z</time>, over'));
    assert.match(page, /\.prose\{min-width:18rem\}\.prose,p\{unicode-bidi:plaintext\}time\{white-space:nowrap\}/);
    assert.match(page, /<td class="prose">&lt;\/style&gt;[^<]*<\/td><td><details><summary>2 columns/);
  });

  test('has dark colours, and room on a phone', () => {
    assert.match(page, /@media \(prefers-color-scheme:dark\)/);
    assert.match(page, /<meta name="viewport" content="width=device-width,initial-scale=1">/);
  });

  test('of nothing says so', () => {
    const [one] = makeLake({ pipelines: 1, models: 3, runs: 2 }).pipelines;
    assert.ok(one);
    const nothing = {
      models: [],
      before: [],
      after: [],
      rejected: [],
      quality: [],
      nulls: [],
      nodes: [],
      description: null,
    };
    const status = { ...one.status, runs: [], quarantine: [], slo: { freshnessMs: null, quarantineRate: null } };
    const facts = { ...makeLake({ pipelines: 0, models: 0, runs: 0 }), pipelines: [{ ...one, ...nothing, status }] };
    const empty = renderPage(buildReport(facts));
    for (const text of [
      'Runs: none in these days',
      'The models of shop_0: no run has told of them yet',
      'Rejected rows of shop_0 by code; a row counts under each of its codes: no row is in quarantine',
      'Lineage: there are no tables',
      'What is promised of shop_0: nothing is promised; slo in the pipeline does',
      '<dd>none yet</dd>',
      '<dd>no run has succeeded yet</dd>',
    ])
      assert.ok(empty.includes(text), text);
    const none = renderPage(buildReport(makeLake({ pipelines: 0, models: 0, runs: 0 })));
    assert.ok(none.includes('figures of runs over 30 days: there are none yet'));
  });

  test('as Markdown has the figures, and what came from data is text there too', () => {
    const text = renderMarkdown(built);
    assert.match(text, /^# Strata\n\nAs of 2026-03-31T12:00:00Z, over 30 days\.\n\n## shop\\_0\n/);
    assert.match(text, /\n- breaker: \*\*open\*\*\n/);
    assert.match(
      text,
      /\n\| success rate \| breached \| 98\.3 % \| \\>= 99 % \| 99 % \| 98\.3 % \| -66\.7 % \| 1 \|\n/,
    );
    assert.match(text, /\n\| silver\.m0 \| 40 \| 1\.0 s \| 900 ms \| 2\.0 s \| 97\.5 % \| \$0\.0010 \| \$0\.040 \|\n/);
    assert.match(text, /\n\| silver\.m0 \| 1\.0 s \| 500 ms \| -50\.0 % \| -75\.0 % \|\n/);
    assert.doesNotMatch(text, /(?<!\\)<\/?\w|(?<!\\)[[\]`]/);
  });
});

describe('figures of a page', () => {
  const run = (day: number, minutes: number, succeeded = true, id = 'r'): RunFact => {
    const finished = NOW - day * DAY;
    return {
      run_id: `${id}${day}`,
      succeeded,
      started: finished - minutes * 60_000,
      finished,
      duration_ms: minutes * 60_000,
      error: null,
    };
  };

  test('by day go from the first with a run to today', () => {
    const found = figuresByDay([run(3, 1), run(3, 3), run(1, 9, false)], { from: NOW - 10 * DAY, to: NOW });
    assert.deepEqual(found, [
      { day: '2026-03-28', succeeded: 2, failed: 0, p50: 120_000, p95: 174_000 },
      { day: '2026-03-29', succeeded: 0, failed: 0, p50: null, p95: null },
      { day: '2026-03-30', succeeded: 0, failed: 1, p50: null, p95: null },
      { day: '2026-03-31', succeeded: 0, failed: 0, p50: null, p95: null },
    ]);
    assert.deepEqual(figuresByDay([], { from: NOW - 10 * DAY, to: NOW }).length, 1);
    assert.equal(figuresByDay([run(9, 1)], { from: NOW - 2 * DAY, to: NOW })[0]?.day, '2026-03-29');
  });

  test('of a model cost what one was on average, and a month at the rate of the days', () => {
    const model = { model: 'gold.m', runs: 4, failed: 1, mean: null, p50: null, p95: null, rows_out: null };
    assert.deepEqual(modelCosts({ ...model, cost_usd: 0.4 }, 60), ['$0.10', '$0.20']);
    assert.deepEqual(modelCosts({ ...model, cost_usd: null }, 60), ['-', '-']);
    assert.deepEqual(modelCosts({ ...model, runs: 0, cost_usd: 0.4 }, 60), ['-', '-']);
  });

  test('cost a month at the rate of the days, and what the smallest job of Glue would', () => {
    const lake = makeLake({ pipelines: 1, models: 3, runs: 2 });
    const [one] = lake.pipelines;
    assert.ok(one);
    const priced = [run(1, 30), run(2, 0.5)].map((each, at) => {
      return { ...each, cost_usd: at + 1, cost_rate: at === 0 ? '2.5 USD an hour' : 'AWS' };
    });
    const runs = [...priced, run(4, 60), { ...run(20, 5), cost_usd: 9 }];
    const { pipelines } = buildReport({ ...lake, days: 15, pipelines: [{ ...one, status: { ...one.status, runs } }] });
    // 30 min and the least of 1 min, of 2 DPU at 0.44, twice as much in 30 days as in 15.
    const { glue_month_usd = 0, ...cost } = pipelines[0]?.cost ?? {};
    assert.deepEqual(cost, { runs: 2, per_run_usd: 1.5, month_usd: 6, rate: '2.5 USD an hour' });
    assert.equal(glue_month_usd.toFixed(9), ((31 / 60) * 2 * 0.44 * 2).toFixed(9));
    const { pipelines: unpriced } = buildReport({
      ...lake,
      pipelines: [{ ...one, status: { ...one.status, runs: [run(1, 1)] } }],
    });
    assert.equal(unpriced[0]?.cost, null);
  });

  test('compare two sets of runs by their means', () => {
    const lake = makeLake({ pipelines: 1, models: 3, runs: 2 });
    const [one] = lake.pipelines;
    assert.ok(one);
    const runs = [
      ...[run(5, 10, true, 'base-'), run(4, 20, true, 'base-'), run(3, 99, false, 'base-')],
      ...[{ ...run(2, 12, true, 'tuned-'), cost_usd: 2 }, run(1, 7)],
    ];
    const [model] = one.before;
    assert.ok(model);
    const sides = {
      before: [model, { ...model, model: 'gold.gone' }],
      after: [{ ...model, mean: 3_000, cost_usd: null }],
    };
    const { pipelines } = buildReport({ ...lake, pipelines: [{ ...one, ...sides, status: { ...one.status, runs } }] });
    const compared = pipelines[0]?.compared;
    const minute = 60_000;
    assert.deepEqual(compared?.whole, {
      before: { runs: 2, mean: 15 * minute, cost_usd: null },
      after: { runs: 1, mean: 12 * minute, cost_usd: 2 },
      time_change: -20,
      cost_change: null,
    });
    assert.deepEqual(compared.models, [
      {
        model: 'silver.m0',
        before: { runs: 39, mean: 1_000, cost_usd: 0.001 },
        after: { runs: 39, mean: 3_000, cost_usd: null },
        time_change: 200,
        cost_change: null,
      },
    ]);
    const { compared: _none, ...plain } = lake;
    assert.equal(buildReport(plain).pipelines[0]?.compared, null);
  });

  test('name the latest runs and incidents, the newest first', () => {
    const [one] = built.pipelines;
    assert.deepEqual(
      one?.latest.slice(0, 2).map(({ run_id }) => run_id),
      ['tuned-59', 'tuned-58'],
    );
    assert.equal(one?.latest.length, 50);
    assert.deepEqual(
      one?.incidents.map(({ failures }) => failures),
      [['base-10']],
    );
    const months = makeLake({ pipelines: 1, models: 3, runs: 120 });
    const short = buildReport({ ...months, days: 2 }).pipelines[0];
    const [whole] = buildReport(months).pipelines;
    assert.deepEqual(
      whole?.incidents.flatMap(({ failures }) => failures),
      ['tuned-110', 'tuned-60', 'base-10'],
    );
    assert.deepEqual([short?.incidents.map(({ failures }) => failures), short?.latest.length], [[['tuned-110']], 9]);
  });
});

describe('pictures', () => {
  const chart = {
    ...{ id: 'c', title: 'T', along: 'day', labels: ['a', 'b', 'c'], format: (value: number): string => `${value} u` },
    series: [
      { name: 'x', values: [0, null, 10] },
      { name: 'y', values: [5, 10, 0] },
    ],
  };

  test('of lines go through the values that there are', () => {
    const { markup } = renderLines(chart);
    // From 70 to 600 and, the higher the less, from 176 to 10.
    assert.deepEqual(all(markup, /class="line" d="([^"]*)"/g), ['M70 176L600 10', 'M70 93L335 10L600 176']);
    assert.deepEqual(all(markup, /class="name"[^>]*>([^<]*)</g), ['0 u', '5 u', '10 u']);
    assert.match(markup, /<th scope="row">b<\/th><td class="n">-<\/td><td class="n">10 u<\/td>/);
    const [path] = all(
      renderLines({ ...chart, labels: ['a'], series: [{ name: 'x', values: [3] }] }).markup,
      /class="line" d="([^"]*)"/g,
    );
    assert.equal(path, 'M335 10');
    assert.equal(all(markup, /(<circle)/g).length, 5);
    const long = Array.from({ length: 61 }, (_, at) => `${at}`);
    assert.equal(all(renderLines({ ...chart, labels: long }).markup, /(<circle)/g).length, 0);
    assert.equal(all(renderLines({ ...chart, labels: long }).markup, /class="label"[^>]*>(\d+)</g).length, 6);
  });

  test('of stacks stand on each other', () => {
    const { markup } = renderStacks({
      ...chart,
      series: [
        { name: 'x', values: [4, 0, 2] },
        { name: 'y', values: [4, 8, null] },
      ],
    });
    const bars = [...markup.matchAll(/<rect class="(s\d)"[^>]* y="([^"]*)"[^>]* height="([^"]*)"/g)].map(
      ([, of, y, height]) => [of, y, height],
    );
    assert.deepEqual(bars, [
      ['s0', '93', '83'],
      ['s1', '10', '83'],
      ['s1', '10', '166'],
      ['s0', '134.5', '41.5'],
    ]);
  });

  test('of bars are as long as what they say', () => {
    const { markup } = renderBars({
      ...chart,
      labels: ['n'.repeat(40), 'm'.repeat(32)],
      series: [
        { name: 'x', values: [10, 5] },
        { name: 'y', values: [null, 0] },
      ],
    });
    assert.deepEqual(all(markup, /<rect class="s0"[^>]* width="([^"]*)"/g), ['330', '165']);
    assert.deepEqual(all(markup, /<text class="name"[^>]*>([^<]*)</g), [`${'n'.repeat(31)}…`, 'm'.repeat(32)]);
    assert.match(markup, new RegExp(`<th scope="row">${'n'.repeat(40)}</th>`));
    assert.match(renderBars({ ...chart, labels: ['a'], series: [{ name: 'x', values: [0] }] }).markup, /width="0"/);
  });

  test('have a style for each of six series, and begin anew with the seventh', () => {
    const series = Array.from({ length: 7 }, (_, at) => ({ name: `n${at}`, values: [1] }));
    const { markup } = renderLines({ ...chart, labels: ['a'], series });
    assert.deepEqual(all(markup, /<g class="(s\d)">/g), ['s0', 's1', 's2', 's3', 's4', 's5', 's0']);
    assert.deepEqual(
      all(markup, /<span class="key s\d"><\/span>(n\d)</g),
      series.map(({ name }) => name),
    );
  });

  test('of lineage lead from the right of one to the left of another, and say more where one points at it', () => {
    const common = { kind: 'gold', description: null, rows: null, updated: null, columns: [] } as const;
    const nodes = [
      { ...common, name: 'p_silver.a', level: 0, reads: [] },
      { ...common, name: `p_gold.${'b'.repeat(40)}`, level: 1, reads: ['p_silver.a', 'gone'] },
    ];
    const { markup } = renderLineage(
      nodes,
      (name) => `#x-${name.length}`,
      ({ name }) => `about ${name.length}`,
    );
    assert.deepEqual(all(markup, /<path d="([^"]*)"/g), ['M186 18C211 18 211 18 236 18']);
    assert.deepEqual(all(markup, /<a href="#(x-\d+)"><title>about/g), ['x-10', 'x-47']);
    assert.deepEqual(all(markup, /<text[^>]*>([^<]*)</g), ['silver.a', `gold.${'b'.repeat(20)}…`]);
    assert.match(markup, /width="422" height="36" viewBox="0 0 422 36"/);
    assert.match(
      page,
      /<title>shop_0_gold\.m2, 2,000 rows, changed 2026-03-31T11:00:00Z, its key is not unique<\/title>/,
    );
    assert.match(page, /<title>shop_1\.orders<\/title>/);
  });

  test('of lineage have a column for each level, and what belongs together side by side', () => {
    const node = (name: string, level: number, ...reads: readonly string[]): LineageNode => ({
      ...{ name, level, reads, kind: 'gold', description: null, rows: null, updated: null, columns: [] },
    });
    const placed = placeNodes([node('a', 0), node('b', 0), node('x', 2, 'b'), node('y', 2, 'a'), node('z', 5, 'x')]);
    const rows = Object.fromEntries(placed.map(({ name, x, y }) => [name, [x, y]]));
    assert.deepEqual(rows, { a: [6, 6], b: [6, 40], y: [236, 6], x: [236, 40], z: [466, 6] });
  });
});

describe('markup', () => {
  test('takes text as text, wherever it stands', () => {
    assert.equal(
      html`<p title="${'"\'<'}">${'&<>'}${3}${null}${[html`<b>x</b>`, 'a<b']}</p>`.markup,
      '<p title="&quot;&#39;&lt;">&amp;&lt;&gt;3<b>x</b>a&lt;b</p>',
    );
    assert.equal(html`${'\u202Ea\u0000\nb'}`.markup, '\\u202ea\\u0000\nb');
    const shaped = 'می\u200cخواهم श्री\u200dम 👨\u200d👩🏽\u200d👧 🏳\ufe0f\u200d🌈';
    assert.equal(html`${`${shaped}<`}`.markup, `${shaped}&lt;`);
    assert.equal(
      html`${'a\u200db \u200cخ 👨\u200d \u200d👧 a\u200cخ'}`.markup,
      'a\\u200db \\u200cخ 👨\\u200d \\u200d👧 a\\u200cخ',
    );
    assert.equal(markdownText('a|b\n# <i>_x_ [y](z)'), 'a\\|b \\# \\<i\\>\\_x\\_ \\[y\\](z)');
  });

  test('has ids that differ where names do', () => {
    const names = ['a b', 'a_b', 'a-b', 'a.b', HOSTILE, 'ab'];
    const ids = names.map((name) => idOf('x', name));
    assert.equal(new Set(ids).size, names.length);
    for (const id of ids) assert.match(id, /^[\w.-]+$/);
    assert.notEqual(idOf('a-b', 'c'), idOf('a', 'b-c'));
  });
});
