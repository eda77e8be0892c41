import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import type { LineageNode } from '../../lib/core/page-facts.ts';
import { buildReport, type Report } from '../../lib/report/page/report.ts';
import { around, mapLake, pipelinePath } from '../../lib/report/site/lake-map.ts';
import { renderSite } from '../../lib/report/site/site.ts';
import { HOSTILE, makeLake } from './made-lake.ts';

const site = siteOf(buildReport(makeLake({ pipelines: 2, models: 12, runs: 120 })));

function siteOf(report: Report): ReadonlyMap<string, string> {
  return new Map(renderSite(report).map(({ path, text }) => [path, text]));
}

function all(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}

function pageOf(path: string, of = site): string {
  return of.get(path) ?? assert.fail(`no page ${path} among ${[...of.keys()]}`);
}

const NODE = { rows: null, updated: null, description: null, columns: [] } as const;

/** Two pipelines of which the second reads a table of the first, and one that nobody has. */
function twoPipelines(column = 'amount'): Report {
  const lake = makeLake({ pipelines: 2, models: 3, runs: 10 });
  const [one, two] = lake.pipelines;
  assert.ok(one && two);
  const columns = (from: readonly string[]): LineageNode['columns'] => [
    { name: column, type: 'int', description: 'In cents.', from },
  ];
  const first: readonly LineageNode[] = [
    { ...NODE, name: 'shop_0.orders', kind: 'source', level: 0, reads: [], columns: columns([]) },
    {
      ...{ ...NODE, name: 'shop_0_silver.orders', kind: 'silver', level: 1, reads: ['shop_0.orders'] },
      columns: columns([`shop_0.orders.${column}`]),
    },
    { ...NODE, name: 'shop_0_silver.apart', kind: 'silver', level: 1, reads: ['shop_0.orders'] },
  ];
  const second: readonly LineageNode[] = [
    { ...NODE, name: 'shop_0_silver.orders', kind: 'elsewhere', level: 0, reads: [] },
    { ...NODE, name: 'gone_gold.rates', kind: 'elsewhere', level: 0, reads: [] },
    {
      ...{ ...NODE, name: 'shop_1_gold.total', kind: 'gold', level: 1 },
      reads: ['shop_0_silver.orders', 'gone_gold.rates'],
      columns: columns([`shop_0_silver.orders.${column}`, 'gone_gold.rates.rate']),
    },
  ];
  return buildReport({
    ...lake,
    pipelines: [
      { ...one, nodes: first },
      { ...two, nodes: second },
    ],
  });
}

describe('a site', () => {
  test('has a page to begin with, one for each pipeline, and one for each source and table', () => {
    const paths = [...site.keys()];
    assert.equal(paths.length, 1 + 2 + 2 * 7);
    assert.deepEqual(paths.slice(0, 5), [
      'index.html',
      'pipelines/shop_0.html',
      'pipelines/shop_1.html',
      'tables/shop_0.orders.html',
      'tables/shop_0_silver.m0.html',
    ]);
    assert.equal(pipelinePath('a b'), 'pipelines/a~20~b.html');
  });

  test('names nothing beside itself, and has an end for each link', () => {
    const ids = new Map([...site].map(([path, text]) => [path, new Set(all(text, /\sid="([^"]*)"/g))]));
    let links = 0;
    for (const [path, text] of site) {
      const tags = all(text, /(<[^>]*>)/g).map((tag) => tag.replaceAll(/="[^"]*"/g, '='));
      assert.doesNotMatch(tags.join('\n'), /<(script|link|img|iframe|object|form|base)\b|\s(src|on\w+|style)=/i);
      assert.doesNotMatch(text, /https?:|url\(|@import/i);
      assert.match(text, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'/);
      assert.equal(all(text, /\sid="([^"]*)"/g).length, ids.get(path)?.size, `an id twice in ${path}`);
      for (const href of all(text, /\shref="([^"]*)"/g)) {
        const [file = '', id] = href.split('#');
        const target = file === '' ? path : posix.join(posix.dirname(path), file);
        assert.ok(ids.has(target), `${path}: ${href}`);
        assert.ok(id === undefined || ids.get(target)?.has(id), `${path}: ${href}`);
        links += 1;
      }
    }
    assert.ok(links > 400, `${links}`);
  });

  test('has the values of each picture as a table, and one heading that names the page', () => {
    for (const [path, text] of site) {
      for (const figure of all(text, /<figure\b([\s\S]*?)<\/figure>/g))
        assert.match(figure, /<figcaption>[\s\S]*<svg [\s\S]*<table><caption>/, path);
      const levels = all(text, /<h([1-6])\b/g).map(Number);
      assert.deepEqual([levels[0], levels.filter((level) => level === 1).length], [1, 1], path);
      for (const [at, level] of levels.entries()) assert.ok(at === 0 || level <= (levels[at - 1] ?? 0) + 1, path);
      for (const landmark of ['<header>', '<nav aria-label="', '<main id="content" tabindex="-1">', '<footer>'])
        assert.equal(text.split(landmark).length, 2, `${path} ${landmark}`);
    }
  });

  test('has its times on one line, to the second', () => {
    for (const [path, text] of site) {
      assert.doesNotMatch(text, /\d\.\d{3}Z/, path);
      assert.match(text, /s of <time>2026-03-31T12:00:00Z<\/time>/, path);
    }
    assert.ok(
      pageOf('tables/shop_1_gold.m2.html').includes('<dt>changed</dt><dd><time>2026-03-31T11:00:00Z</time></dd>'),
    );
  });

  test('shows what came from data as text', () => {
    for (const [path, text] of site) assert.ok(!text.includes('<script>') && !text.includes('\u202E'), path);
    const hostile = HOSTILE.slice(0, 8).replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    for (const path of ['index.html', 'pipelines/shop_0.html', 'tables/shop_0_silver.m0.html'])
      assert.ok(pageOf(path).includes(hostile), path);
  });

  test('begins with the pipelines and all tables', () => {
    const index = pageOf('index.html');
    for (const row of [
      '<tr><th scope="row"><a href="pipelines/shop_1.html">shop_1</a></th><td><span class="bad">freshness,',
      '<tr><th scope="row"><a href="tables/shop_1_gold.m2.html">shop_1_gold.m2</a></th><td><a href="pipelines/shop_1.html">shop_1</a></td><td>gold</td><td class="prose">-</td><td class="n">2</td><td><span class="bad">1 broken</span>, 1 held, <span class="dim">1 not known</span></td><td class="n">2,000</td><td><time>2026-03-31T11:00:00Z</time></td><td><a href="tables/shop_1_silver.m0.html">shop_1_silver.m0</a>, <a href="tables/shop_1_silver.m1.html">shop_1_silver.m1</a></td></tr>',
      '<tr><th scope="row"><a href="tables/shop_1.orders.html">shop_1.orders</a></th><td><a href="pipelines/shop_1.html">shop_1</a></td><td>source</td><td class="prose">-</td><td class="n">1</td><td>-</td><td class="n">-</td><td>-</td><td>-</td></tr>',
    ])
      assert.ok(index.includes(row), row);
    assert.match(
      index,
      /<a href="tables\/shop_1_gold\.m2\.html"><title>shop_1_gold\.m2, 2,000 rows<\/title><rect class="node gold"/,
    );
    assert.match(
      pageOf('index.html', siteOf(buildReport({ ...makeLake({ pipelines: 1, models: 1, runs: 1 }), pipelines: [] }))),
      /there are none yet/,
    );
  });

  test('has of a pipeline what a page has of it, with links to its tables', () => {
    const page = pageOf('pipelines/shop_1.html');
    assert.ok(
      page.includes(
        '<nav aria-label="Pipelines"><ul><li><a href="../index.html">Strata</a></li><li><a href="../pipelines/shop_0.html">shop_0</a></li></ul>',
      ),
    );
    assert.match(
      page,
      /<th scope="row"><a href="\.\.\/tables\/shop_1_gold\.m2\.html">shop_1_gold\.m2<\/a><\/th><td>gold<\/td>/,
    );
    assert.match(page, /on Glue \$[\d.]+ a month or more/);
    for (const heading of ['Promises', 'Runs', 'Incidents', 'Models', 'Tests', 'Quarantine', 'Quality', 'Lineage'])
      assert.ok(page.includes(`<h3>${heading}</h3>`), heading);
  });

  test('has of a table its columns, tests, runs and lineage', () => {
    const page = pageOf('tables/shop_1_gold.m2.html');
    for (const part of [
      '<dt>rows</dt><dd>2,000</dd>',
      '<dt>read by</dt><dd><a href="../tables/shop_1_gold.m4.html">shop_1_gold.m4</a>, <a href="../tables/shop_1_gold.m5.html">',
      '<tr id="column-shop_5f_1_5f_gold.m2.id"><th scope="row">id</th><td>bigint</td><td class="prose">The order.</td><td class="n">0 %</td><td><a href="../tables/shop_1_silver.m0.html#column-shop_5f_1_5f_silver.m0.id">shop_1_silver.m0.id</a>, <a',
      '<th scope="row">note</th><td>string</td><td class="prose">-</td><td class="n">25 %</td><td>-</td></tr>',
      '<tr><th scope="row">short</th><td>len(note) &lt; 9</td><td>warn</td><td><span class="bad">broken</span></td>',
      '<tr><th scope="row">gold.m2</th><td class="n">40</td><td class="n">3.0 s</td><td class="n">2.7 s</td><td class="n">6.0 s</td><td class="n">97.5 %</td><td class="n">1,000</td><td class="n">$0.0010</td><td class="n">$0.040</td></tr>',
      '<tr><th scope="row"><a href="../tables/shop_1.orders.html">shop_1.orders</a></th><td><a href="../tables/shop_1_silver.m1.html">',
    ])
      assert.ok(page.includes(part), part);
    const source = pageOf('tables/shop_1.orders.html');
    assert.match(source, /What is expected of shop_1\.orders: nothing is expected/);
    assert.match(source, /Runs that worked on shop_1\.orders in 30 days: none/);
  });
});

describe('the tables of several pipelines', () => {
  const report = twoPipelines();
  const map = mapLake(report);

  test('are one graph: each table is there once, above all that it is made from', () => {
    assert.deepEqual(
      map.nodes.map(({ name, kind, level, pipeline, readBy }) => [name, kind, level, pipeline, readBy]),
      [
        ['shop_0.orders', 'source', 0, 'shop_0', ['shop_0_silver.orders', 'shop_0_silver.apart']],
        ['shop_0_silver.orders', 'silver', 1, 'shop_0', ['shop_1_gold.total']],
        ['shop_0_silver.apart', 'silver', 1, 'shop_0', []],
        ['shop_1_gold.total', 'gold', 2, 'shop_1', []],
        ['gone_gold.rates', 'elsewhere', 0, null, ['shop_1_gold.total']],
      ],
    );
    assert.deepEqual(
      around(map, 'shop_0_silver.orders').map(({ name }) => name),
      ['shop_0.orders', 'shop_0_silver.orders', 'shop_1_gold.total'],
    );
  });

  test('that read each other in a circle have a place all the same', () => {
    const [one, two] = report.pipelines;
    assert.ok(one && two);
    const circle = (name: string, read: string): LineageNode => ({
      ...NODE,
      name,
      kind: 'gold',
      level: 1,
      reads: [read],
    });
    const turned = { ...one, nodes: [circle('a_gold.a', 'b_gold.b'), circle('b_gold.b', 'a_gold.a')] };
    assert.deepEqual(
      mapLake({ ...report, pipelines: [turned] }).nodes.map(({ name, level }) => [name, level]),
      [
        ['a_gold.a', 2],
        ['b_gold.b', 1],
      ],
    );
  });

  test('show their columns between those that they are made of and those that are made of them', () => {
    const pages = siteOf(report);
    const page = pageOf('tables/shop_0_silver.orders.html', pages);
    assert.match(
      page,
      /<tr><th scope="row">amount<\/th><td>shop_0\.orders\.amount<\/td><td>shop_1_gold\.total\.amount<\/td><\/tr>/,
    );
    const graph = /<figure id="column-lineage">[\s\S]*?<\/figure>/.exec(page)?.[0] ?? '';
    assert.deepEqual(all(graph, /<a href="([^"]*)"><title>/g), [
      '../tables/shop_0.orders.html#column-shop_5f_0.orders.amount',
      '../tables/shop_0_silver.orders.html#column-shop_5f_0_5f_silver.orders.amount',
      '../tables/shop_1_gold.total.html#column-shop_5f_1_5f_gold.total.amount',
    ]);
    assert.equal(all(graph, /(<path d=)/g).length, 2);
    // Whatever a column is called, its table has two parts.
    const dotted = pageOf('tables/shop_1_gold.total.html', siteOf(twoPipelines('a.b')));
    for (const part of [
      '<a href="../tables/shop_0_silver.orders.html#column-shop_5f_0_5f_silver.orders.a.b">shop_0_silver.orders.a.b</a>',
      '<a href="../tables/shop_1_gold.total.html#column-shop_5f_1_5f_gold.total.a.b"><title>',
      '<title>shop_0_silver.orders.a.b</title><rect class="node silver"',
    ])
      assert.ok(dotted.includes(part), part);
    // Of a table that nobody has there is no page.
    const total = pageOf('tables/shop_1_gold.total.html', pages);
    assert.match(total, /<g><title>gone_gold\.rates\.rate<\/title><rect class="node elsewhere"/);
    assert.doesNotMatch(total, /href="[^"]*gone_gold/);
    assert.doesNotMatch(pageOf('tables/shop_0_silver.apart.html', pages), /column-lineage/);
  });
});
