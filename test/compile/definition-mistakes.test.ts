import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import {
  append,
  bucket,
  csv,
  hour,
  identity,
  json,
  month,
  parquet,
  query,
  replace,
  rowCount,
  truncate,
  unique,
  year,
} from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { type Given, openSession, problemsOf, SHOP, shopWith } from './shop.ts';

/** Problems as a person reads them: file, place, got, expected. */
type Mistake = { readonly name: string; readonly given: Given; readonly problems: readonly string[] };

const COLUMNS = { customer_id: 'bigint', name: 'string', region: 'string' } as const;
const AMOUNT = ['sources', 'orders', 'columns', 'amount'];
const NOTE = ['sources', 'orders', 'columns', 'note'];
const EXPECT = ['silver', 'orders', 'expect'];

/** Mistakes that show in the pipeline file, each in a shop that has no other. */
const MISTAKES: readonly Mistake[] = [
  {
    name: 'no definition',
    given: { definition: 5 },
    problems: ['pipelines/shop/pipeline.ts: default export: got 5; expected definePipeline({ ... })'],
  },
  {
    name: 'neither sources nor gold',
    given: { definition: { name: 'shop', sources: {} } },
    problems: [
      'pipelines/shop/pipeline.ts: sources: got nothing; expected at least one source by name, such as { orders: csv({ ... }) }',
    ],
  },
  {
    name: 'an empty definition',
    given: { definition: {} },
    problems: [
      `pipelines/shop/pipeline.ts: name: got nothing; expected the name of the pipeline's folder`,
      'pipelines/shop/pipeline.ts: sources: got nothing; expected at least one source by name, such as { orders: csv({ ... }) }',
    ],
  },
  {
    name: 'a name that is none',
    given: { definition: shopWith(['name'], 'Shop-1') },
    problems: [
      'pipelines/shop/pipeline.ts: name: got "Shop-1"; expected a name of at most 40 lower case letters, digits and single _, starting with a letter, such as "shop_1"',
    ],
  },
  {
    name: 'a name that is not the folder',
    given: { folder: 'store' },
    problems: [`pipelines/shop/pipeline.ts: name: got "shop"; expected "store", the name of the pipeline's folder`],
  },
  {
    name: 'a name too long',
    given: { definition: shopWith(['name'], 's'.repeat(41)), folder: 's'.repeat(41) },
    problems: [
      'pipelines/shop/pipeline.ts: name: got "sssssssssssssssssssssssssssssssssssssssss"; expected a name of at most 40 lower case letters, digits and single _, starting with a letter, such as "ssssssssssssssssssssssssssssssssssssssss"',
    ],
  },
  {
    name: 'an unknown property',
    given: { definition: shopWith(['golds'], {}) },
    problems: [
      'pipelines/shop/pipeline.ts: golds: got an unknown property; expected one of name, owner, tier, description, schedule, schedules, timezone, after, onChange, settings, compute, slo, breaker, promote, alerts, serve, openlineage, retention, discover, maintenance, vars, sources, silver, gold; did you mean "gold"?',
    ],
  },
  {
    name: 'a gate',
    given: {
      definition: shopWith(['promote'], {
        gate: {
          auto: [
            { table: 'gold.nothing', keys: ['a'] },
            { table: 'silver.orders', measures: ['nothing'], keys: ['none'] },
            { table: 'silver.orders', tolerance: -1 },
            7,
          ],
        },
        maxQuarantineRate: 101,
        forbid: [],
        expires: '15d',
        who: 'ann',
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: promote.who: got an unknown property; expected one of gate, maxQuarantineRate, forbid, expires',
      'pipelines/shop/pipeline.ts: promote.maxQuarantineRate: got 101; expected a percentage of the records read, from 0 to 100',
      "pipelines/shop/pipeline.ts: promote.forbid: got []; expected a list of error codes, such as ['DUPLICATE_FAILURE']",
      `pipelines/shop/pipeline.ts: promote.expires: got "15d"; expected a span from 1 hour to 14 days, such as '36h' or '7d'`,
      'pipelines/shop/pipeline.ts: promote.gate.auto[2].tolerance: got -1; expected a percentage, 0 or more',
      'pipelines/shop/pipeline.ts: promote.gate.auto[2]: got neither keys nor measures; expected one of them, or both',
      'pipelines/shop/pipeline.ts: promote.gate.auto[2].tolerance: got a tolerance of no measure; expected measures beside it, or no tolerance',
      "pipelines/shop/pipeline.ts: promote.gate.auto[3]: got 7; expected { table: 'gold.revenue', keys: ['day'] }",
      'pipelines/shop/pipeline.ts: promote.gate.auto[0].table: got "gold.nothing"; expected one of silver.customers, silver.orders, gold.revenue',
      'pipelines/shop/pipeline.ts: promote.gate.auto[1].keys: got "none"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region; did you mean "note"?',
      'pipelines/shop/pipeline.ts: promote.gate.auto[1].measures: got "nothing"; expected a column of numbers, one of order_id, customer_id, amount',
    ],
  },
  {
    name: 'a gate of no kind',
    given: { definition: shopWith(['promote'], { gate: 'auto' }) },
    problems: [
      `pipelines/shop/pipeline.ts: promote.gate: got "auto"; expected 'manual' or { auto: [{ table: 'gold.revenue', keys: ['day'], measures: ['amount'] }] }`,
    ],
  },
  {
    name: 'a schedule that is none',
    given: { definition: shopWith(['schedule'], 'rate(1 days)') },
    problems: [
      `pipelines/shop/pipeline.ts: schedule: got "rate(1 days)"; expected 'rate(1 day)' (minute, hour or day; plural above 1) or 'cron(0 6 * * ? *)' (six fields, one of the two days '?')`,
    ],
  },
  {
    name: 'a tier that is text',
    given: { definition: shopWith(['tier'], 'one') },
    problems: ['pipelines/shop/pipeline.ts: tier: got "one"; expected a whole number, 1 or more'],
  },
  {
    name: 'a collector of lineage with a password, and a key that is none',
    given: { definition: shopWith(['openlineage'], { to: 'https://me:hidden@x', key: 'hidden', namespace: '' }) },
    problems: [
      "pipelines/shop/pipeline.ts: openlineage.to: got something else; expected an address such as 'https://marquez.example.com', without a name, a password or anything behind a ?, or 'eventbridge:<bus>'",
      "pipelines/shop/pipeline.ts: openlineage.key: got something else; expected secret('NAME'), a name of letters, digits and _ and never the key itself",
      'pipelines/shop/pipeline.ts: openlineage.namespace: got ""; expected a text, such as \'lake-of-sales\'',
    ],
  },
  {
    name: 'settings',
    given: { definition: shopWith(['settings'], { unitBytes: 0, filebytes: 3 }) },
    problems: [
      'pipelines/shop/pipeline.ts: settings.filebytes: got an unknown property; expected one of unitBytes, fileBytes, hourlyRate; did you mean "fileBytes"?',
      'pipelines/shop/pipeline.ts: settings.unitBytes: got 0; expected a whole number of bytes, 1 or more',
    ],
  },
  {
    name: 'compute beyond what Lambda has',
    given: {
      definition: shopWith(['compute'], {
        memory: 10_241,
        timeout: '16m',
        tmp: 100,
        cpus: 2,
        maxConcurrency: 0,
        toleratedFailurePercentage: 101,
        steps: { stage: {}, Merge: { memory: 100, reservedConcurrency: 0 } },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: compute.cpus: got an unknown property; expected one of memory, timeout, tmp, maxConcurrency, toleratedFailurePercentage, steps',
      'pipelines/shop/pipeline.ts: compute.memory: got 10241; expected a whole number of MB of memory from 512 to 10240',
      `pipelines/shop/pipeline.ts: compute.timeout: got "16m"; expected a span of at most 15 minutes, such as '90s' or '15m'`,
      'pipelines/shop/pipeline.ts: compute.tmp: got 100; expected a whole number of MB of /tmp from 512 to 10240',
      'pipelines/shop/pipeline.ts: compute.maxConcurrency: got 0; expected a whole number of units at once from 1 to 10000',
      'pipelines/shop/pipeline.ts: compute.toleratedFailurePercentage: got 101; expected a percentage from 0 to 100',
      'pipelines/shop/pipeline.ts: compute.steps.stage: got an unknown step; expected one of Open, Level, PlanStage, Stage, PlanMerge, Merge, Audit, Gate, Commit, Serve, Finish, OpenRewrite, Rewrite, CommitRewrite, FinishRewrite, Sweep; did you mean "Stage"?',
      'pipelines/shop/pipeline.ts: compute.steps.Merge.memory: got 100; expected a whole number of MB of memory from 512 to 10240',
      'pipelines/shop/pipeline.ts: compute.steps.Merge.reservedConcurrency: got 0; expected a whole number of executions at once, 1 or more',
    ],
  },
  {
    name: 'more units at once than are reserved',
    given: {
      definition: shopWith(['compute'], {
        maxConcurrency: 9,
        steps: {
          Stage: { reservedConcurrency: 20 },
          Merge: { reservedConcurrency: 8 },
          Open: { reservedConcurrency: 1 },
        },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: compute.maxConcurrency: got 9; expected 8 or less, or a higher compute.steps.Merge.reservedConcurrency: Lambda refuses calls beyond what is reserved',
    ],
  },
  {
    name: 'promises that nothing can watch',
    given: { definition: shopWith(['slo'], { freshness: '8d', quarantineRate: -1 }) },
    problems: [
      `pipelines/shop/pipeline.ts: slo.freshness: got "8d"; expected a span from 1 hour to 7 days, such as '26h' or '2d'`,
      'pipelines/shop/pipeline.ts: slo.quarantineRate: got -1; expected a percentage of the rows read, from 0 to 100',
    ],
  },
  {
    name: 'promises that nobody can judge',
    given: {
      definition: shopWith(['slo'], {
        p95: '40',
        successRate: 0,
        mttr: '1 h',
        ready: 'D+0 01:00',
        objective: 101,
        mtr: '1h',
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: slo.mtr: got an unknown property; expected one of freshness, quarantineRate, p95, successRate, mttr, ready, objective; did you mean "mttr"?',
      `pipelines/shop/pipeline.ts: slo.p95: got "40"; expected a span such as '90s', '40m' or '2h'`,
      'pipelines/shop/pipeline.ts: slo.successRate: got 0; expected a percentage of the runs, above 0 and up to 100',
      `pipelines/shop/pipeline.ts: slo.mttr: got "1 h"; expected a span such as '60m' or '4h'`,
      `pipelines/shop/pipeline.ts: slo.ready: got "D+0 01:00"; expected a day from D+1 to D+7 and a time, such as 'D+1 01:00'`,
      'pipelines/shop/pipeline.ts: slo.objective: got 101; expected a percentage, above 0 and up to 100, such as 99.5',
    ],
  },
  {
    name: 'promises beyond their bounds',
    given: {
      definition: shopWith(['slo'], {
        freshness: '59m',
        successRate: 101,
        mttr: '0m',
        ready: 'D+1 24:00',
        objective: 0,
      }),
    },
    problems: [
      `pipelines/shop/pipeline.ts: slo.freshness: got "59m"; expected a span from 1 hour to 7 days, such as '26h' or '2d'`,
      'pipelines/shop/pipeline.ts: slo.successRate: got 101; expected a percentage of the runs, above 0 and up to 100',
      `pipelines/shop/pipeline.ts: slo.mttr: got "0m"; expected a span such as '60m' or '4h'`,
      `pipelines/shop/pipeline.ts: slo.ready: got "D+1 24:00"; expected a day from D+1 to D+7 and a time, such as 'D+1 01:00'`,
      'pipelines/shop/pipeline.ts: slo.objective: got 0; expected a percentage, above 0 and up to 100, such as 99.5',
    ],
  },
  {
    name: 'an objective of nothing',
    given: { definition: shopWith(['slo'], { p95: '40m', objective: 99.5 }) },
    problems: [
      'pipelines/shop/pipeline.ts: slo.objective: got 99.5; expected freshness, ready, quarantineRate or several beside it; leave it out',
    ],
  },
  {
    name: 'a source of no kind',
    given: { definition: shopWith(['sources', 'orders'], { columns: {} }) },
    problems: [
      "pipelines/shop/pipeline.ts: sources.orders: got nothing; expected csv({ ... }), json({ ... }), parquet({ ... }), http({ ... }), kafka({ ... }), postgres({ ... }) or seed('<file>.csv', { ... })",
    ],
  },
  {
    name: 'options of csv',
    given: {
      definition: shopWith(['sources', 'customers'], {
        ...SHOP.sources.customers,
        delimiter: ';;',
        quote: "''",
        encoding: 'latin1',
        drift: 'evolv',
        ignore: ['_SUCCESS', '/tmp/*'],
        delimeter: ',',
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.delimeter: got an unknown property; expected one of format, columns, key, drift, branch, ignore, delimiter, quote, escape, header, encoding, nullText; did you mean "delimiter"?',
      `pipelines/shop/pipeline.ts: sources.customers.drift: got "evolv"; expected 'fail', 'ignore' or 'evolve'`,
      'pipelines/shop/pipeline.ts: sources.customers.delimiter: got ";;"; expected one character that is no line break and no NUL',
      `pipelines/shop/pipeline.ts: sources.customers.quote: got "''"; expected one printable ASCII character, or '' for none`,
      `pipelines/shop/pipeline.ts: sources.customers.encoding: got "latin1"; expected 'utf-8', 'utf-16' or 'latin-1'`,
      `pipelines/shop/pipeline.ts: sources.customers.ignore[1]: got "/tmp/*", which has an empty part, '.' or '..'; expected a path relative to the source's folder, in which * and ? stand for text and ** for folders`,
    ],
  },
  {
    name: 'a delimiter that no text can have',
    given: { definition: shopWith(['sources', 'customers', 'delimiter'], '\0') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.delimiter: got "\\u0000"; expected one character that is no line break and no NUL',
    ],
  },
  {
    name: 'a null text with the delimiter in it',
    given: { definition: shopWith(['sources', 'customers', 'nullText'], ['', 'n,a']) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.nullText: got ["","n,a"]: DELIMITER must not appear in the NULL specification and vice versa; expected texts that stand in no delimiter and hold no delimiter and no quote',
    ],
  },
  {
    name: 'a null text with the quote in it',
    given: { definition: shopWith(['sources', 'customers', 'nullText'], '""') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.nullText: got ["\\"\\""]: QUOTE must not appear in the NULL specification and vice versa; expected texts that stand in no delimiter and hold no delimiter and no quote',
    ],
  },
  {
    name: 'an escape that is the delimiter',
    given: { definition: shopWith(['sources', 'customers', 'escape'], ',') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.escape: got ",": ESCAPE must not appear in the DELIMITER specification and vice versa; expected a character other than the delimiter',
    ],
  },
  {
    name: 'a delimiter that is the quote',
    given: { definition: shopWith(['sources', 'customers', 'delimiter'], '"') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.quote: got "\\""; expected a character other than the delimiter',
    ],
  },
  {
    name: 'an array where json takes lines',
    given: { definition: shopWith(['sources', 'customers'], { ...json({ columns: COLUMNS }), layout: 'line' }) },
    problems: [`pipelines/shop/pipeline.ts: sources.customers.layout: got "line"; expected 'lines' or 'array'`],
  },
  {
    name: 'no columns',
    given: { definition: shopWith(['sources', 'customers'], parquet({ columns: {} })) },
    problems: [
      `pipelines/shop/pipeline.ts: sources.customers.columns: got {}; expected at least one column by its name in the file, such as { id: 'bigint' }`,
    ],
  },
  {
    name: 'a column named by a number in a file without header',
    given: {
      definition: shopWith(['sources', 'customers'], csv({ header: false, columns: { ...COLUMNS, 7: 'int' } })),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.columns["7"]: got the name "7"; expected a name with a letter in it, because header: false takes the columns in their written order',
    ],
  },
  {
    name: 'an unknown type',
    given: { definition: shopWith(AMOUNT, 'varchar') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount: got the type "varchar"; expected boolean, int, bigint, float, double, date, timestamp, timestamptz, string, binary, decimal(p,s), list<type> or struct<name: type, ...>; did you mean "string"?',
    ],
  },
  {
    name: 'a decimal too wide',
    given: { definition: shopWith(AMOUNT, 'decimal(40,2)') },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount: got the type "decimal(40,2)"; expected decimal(p,s) with p digits in all, 1 to 38, of them s after the point',
    ],
  },
  {
    name: 'a column of mistakes',
    given: {
      definition: shopWith(AMOUNT, {
        type: 'int',
        requird: true,
        min: 'a',
        max: 1.5,
        in: [],
        pattern: /x/,
        parse: 'numerc',
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.requird: got an unknown property; expected one of type, required, as, renamedFrom, default, parse, min, max, in, pattern, personal, description, checks; did you mean "required"?',
      "pipelines/shop/pipeline.ts: sources.orders.columns.amount.in: got []; expected a list of at least one text, number or boolean, or { values: [...], code: 'CURRENCY' }",
      `pipelines/shop/pipeline.ts: sources.orders.columns.amount.pattern: got the RegExp /x/; expected a regular expression as text, such as '[A-Z]{3}', or { regex: '[A-Z]{3}', code: 'CURRENCY' }`,
      `pipelines/shop/pipeline.ts: sources.orders.columns.amount.parse: got "numerc"; expected 'numeric', 'epoch_seconds', 'epoch_millis', a strptime format or a list of them; did you mean "numeric"?`,
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.min: got "a"; expected a value of type int',
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.max: got "1.5"; expected a value of type int',
    ],
  },
  {
    name: 'values that do not fit a decimal',
    given: { definition: shopWith(AMOUNT, { type: 'decimal(12,2)', min: '5.001', in: ['1', 'x'] }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.min: got "5.001"; expected a value of type decimal(12,2)',
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.in[1]: got "x"; expected a value of type decimal(12,2)',
    ],
  },
  {
    name: 'a value of one column beside the type of another, and no condition that may be about that',
    given: {
      definition: shopWith(['sources', 'customers', 'columns'], {
        customer_id: 'bigin',
        name: { type: 'decimal(12,2)', min: 'x', checks: { known: 'customer_id > 0' } },
        region: { type: 'string', pattern: '(' },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.columns.customer_id: got the type "bigin"; expected boolean, int, bigint, float, double, date, timestamp, timestamptz, string, binary, decimal(p,s), list<type> or struct<name: type, ...>; did you mean "bigint"?',
      'pipelines/shop/pipeline.ts: sources.customers.columns.name.min: got "x"; expected a value of type decimal(12,2)',
      'pipelines/shop/pipeline.ts: sources.customers.columns.region.pattern: got "(": missing ): (; expected a regular expression in RE2 syntax',
    ],
  },
  {
    name: 'min above max',
    given: { definition: shopWith(AMOUNT, { type: 'decimal(12,2)', min: 5, max: 3 }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.min: got 5; expected at most max, which is 3',
    ],
  },
  {
    name: 'limits of text',
    given: { definition: shopWith(NOTE, { type: 'string', min: 'a' }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.min: got min on a column of type string; expected a column of numbers, dates or times; use checks for others',
    ],
  },
  {
    name: 'a pattern on numbers',
    given: { definition: shopWith(AMOUNT, { type: 'double', pattern: 'x' }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.amount.pattern: got pattern on a column of type double; expected a column of type string',
    ],
  },
  {
    name: 'a broken pattern',
    given: { definition: shopWith(NOTE, { type: 'string', pattern: '(' }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.pattern: got "(": missing ): (; expected a regular expression in RE2 syntax',
    ],
  },
  {
    name: 'a broken strptime format',
    given: {
      definition: shopWith(['sources', 'orders', 'columns', 'ordered_at'], { type: 'timestamp', parse: ['%Y', '%Q'] }),
    },
    problems: [
      `pipelines/shop/pipeline.ts: sources.orders.columns.ordered_at.parse: got "%Q": Failed to parse format specifier %Q: Unrecognized format for strftime/strptime: %Q; expected a strptime format such as '%d/%m/%Y %H:%M:%S'`,
    ],
  },
  {
    name: 'a strptime format with two zones',
    given: {
      definition: shopWith(['sources', 'orders', 'columns', 'ordered_at'], { type: 'timestamp', parse: '%z %c %Z' }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.ordered_at.parse: got two zones in "%z %c %Z"; expected at most one of %z and %Z',
    ],
  },
  {
    name: 'a date format for text',
    given: { definition: shopWith(NOTE, { type: 'string', parse: '%d/%m/%Y' }) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.parse: got "%d/%m/%Y" on a column of type string; expected a column of type date, timestamp, timestamptz',
    ],
  },
  {
    name: 'checks',
    given: {
      definition: shopWith(NOTE, {
        type: 'string',
        checks: {
          'bad name': 'note is null',
          unknown: 'nota is null',
          many: 'count(*) > 1',
          number: 'order_id',
          sub: '(select true)',
          clock: 'ordered_at < now()',
          injected: '1=1) from batch.orders; --',
          process: "getenv('HOME') = note",
          settings: "current_setting('temp_directory') = note",
        },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks["bad name"]: got the error code "BAD NAME"; expected letters, digits and _ from a letter on, other than DUPLICATE_FAILURE, MAX_ATTEMPTS',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.unknown: got "nota is null": Referenced column "nota" not found in FROM clause; expected a column that is there: "note"; did you mean "note"?',
      `pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.many: got the aggregate count in "count(*) > 1"; expected an SQL condition over the columns of one row; use query('select ... from this') to look at many`,
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.number: got "order_id" of type BIGINT; expected a condition, which is true or false',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.sub: got "(select true)" with a subquery; expected an SQL condition over the columns of one row',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.clock: got now() in "ordered_at < now()"; expected a condition that a retry decides in the same way, so without the clock or chance; in its place run_date() or run_time(), which the plan of a run fixes',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.injected: got "1=1) from batch.orders; --"; expected an SQL condition over the columns of one row',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.process: got the function getenv; expected an SQL condition over the columns of one row',
      'pipelines/shop/pipeline.ts: sources.orders.columns.note.checks.settings: got the function current_setting; expected an SQL condition over the columns of one row',
    ],
  },
  {
    name: 'two columns of one name',
    given: { definition: shopWith(NOTE, { type: 'string', as: 'AMOUNT' }) },
    problems: [
      `pipelines/shop/pipeline.ts: sources.orders.columns.note: got a second column "AMOUNT" (case does not count); expected a name of its own (name it with as: '...')`,
    ],
  },
  {
    name: 'a reserved column',
    given: { definition: shopWith(['sources', 'orders', 'columns', '__rid'], 'string') },
    problems: [
      `pipelines/shop/pipeline.ts: sources.orders.columns.__rid: got the column name "__rid"; expected a name that starts with neither __ nor _row_hash (name it with as: '...')`,
    ],
  },
  {
    name: 'a source with no table',
    given: { definition: shopWith(['sources', 'extra'], csv({ columns: COLUMNS })) },
    problems: [
      'pipelines/shop/pipeline.ts: sources.extra: got no silver table that reads it; expected a silver table with from: "extra"',
    ],
  },
  {
    name: 'an unknown source',
    given: { definition: shopWith(['silver', 'customers', 'from'], 'customer') },
    problems: [
      'pipelines/shop/pipeline.ts: silver.customers.from: got "customer"; expected one of orders, customers; did you mean "customers"?',
    ],
  },
  {
    name: 'no source',
    given: { definition: shopWith(['silver', 'customers', 'from'], undefined) },
    problems: ['pipelines/shop/pipeline.ts: silver.customers.from: got nothing; expected the name of a source'],
  },
  {
    name: 'a missing SQL file',
    given: { definition: shopWith(['gold', 'revenue', 'sql'], 'gold/revenu.sql') },
    problems: [
      'pipelines/shop/pipeline.ts: gold.revenue.sql: got "gold/revenu.sql", which is not there; expected a file at pipelines/shop/gold/revenu.sql',
    ],
  },
  {
    name: 'an SQL file elsewhere',
    given: { definition: shopWith(['gold', 'revenue', 'sql'], '../revenue.sql') },
    problems: [
      `pipelines/shop/pipeline.ts: gold.revenue.sql: got "../revenue.sql"; expected the path of an .sql file inside the pipeline's folder, such as 'gold/revenue.sql'`,
    ],
  },
  {
    name: 'gold without SQL',
    given: { definition: shopWith(['gold', 'revenue'], {}) },
    problems: [
      `pipelines/shop/pipeline.ts: gold.revenue.sql: got nothing; expected the path of an .sql file inside the pipeline's folder, such as 'gold/revenue.sql'`,
    ],
  },
  {
    name: 'a mode that is text',
    given: { definition: shopWith(['silver', 'customers', 'mode'], 'append') },
    problems: [
      `pipelines/shop/pipeline.ts: silver.customers.mode: got "append"; expected append(), append({ dedupe: 'row' }), append({ dedupe: { key: ['c'] } }), replace(), full(), upsert({ key: 'c', sequence: 'd' }) or scd2({ key: 'c', sequence: 'd' })`,
    ],
  },
  {
    name: 'a dedupe key that is no column',
    given: { definition: shopWith(['silver', 'customers', 'mode'], append({ dedupe: { key: 'customer' } })) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.customers.mode.dedupe.key[0]: got the column "customer"; expected one of customer_id, name, region',
    ],
  },
  {
    name: 'replace without partitions',
    given: { definition: shopWith(['silver', 'customers', 'mode'], replace()) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.customers.partitionBy: got nothing; expected partitions for replace() to replace; use full() to replace the whole table',
    ],
  },
  {
    name: 'partitions',
    given: {
      definition: shopWith(
        ['silver', 'orders', 'partitionBy'],
        [
          'region',
          month('order_at'),
          month('region'),
          hour('ordered_at'),
          year('ordered_at'),
          bucket(0, 'note'),
          identity('tags'),
          truncate(2, 'ordered_at'),
        ],
      ),
    },
    problems: [
      `pipelines/shop/pipeline.ts: silver.orders.partitionBy[0]: got "region"; expected identity('c'), year('c'), month('c'), day('c'), hour('c'), bucket(n, 'c') or truncate(n, 'c') with n from 1 up`,
      `pipelines/shop/pipeline.ts: silver.orders.partitionBy[5].transform.width: got 0; expected identity('c'), year('c'), month('c'), day('c'), hour('c'), bucket(n, 'c') or truncate(n, 'c') with n from 1 up`,
      'pipelines/shop/pipeline.ts: silver.orders.partitionBy[1]: got the column "order_at"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region; did you mean "ordered_at"?',
      'pipelines/shop/pipeline.ts: silver.orders.partitionBy[2]: got month of "region" of type string; expected a column of type date, timestamp, timestamptz',
      'pipelines/shop/pipeline.ts: silver.orders.partitionBy[4]: got year of "ordered_at", which silver.orders.partitionBy[3] covers; expected each column once per kind of transform',
      'pipelines/shop/pipeline.ts: silver.orders.partitionBy[6]: got identity of "tags" of type list<string>; expected a column of type boolean, int, bigint, decimal, date, timestamp, timestamptz, string',
      'pipelines/shop/pipeline.ts: silver.orders.partitionBy[7]: got truncate of "ordered_at" of type timestamp; expected a column of type int, bigint, decimal, string, binary',
    ],
  },
  {
    name: 'Z-order',
    given: { definition: shopWith(['silver', 'orders', 'zorderBy'], ['tags', 'nope']) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.orders.zorderBy[0]: got "tags" of type list<string>; expected a column that is neither list nor struct',
      'pipelines/shop/pipeline.ts: silver.orders.zorderBy[1]: got the column "nope"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region; did you mean "note"?',
    ],
  },
  {
    name: 'Z-order of too many columns',
    given: { definition: shopWith(['silver', 'orders', 'zorderBy'], ['a', 'b', 'c', 'd', 'e']) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.orders.zorderBy: got ["a","b","c","d","e"]; expected a list of 1 to 4 column names, each once',
    ],
  },
  {
    name: 'order',
    given: { definition: shopWith(['silver', 'orders', 'sortBy'], ['tags', 'Region']) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.orders.sortBy[0]: got "tags" of type list<string>; expected a column that is neither list nor struct',
      'pipelines/shop/pipeline.ts: silver.orders.sortBy[1]: got the column "Region"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region; did you mean "region"?',
    ],
  },
  {
    name: 'two tables of one name',
    given: { definition: shopWith(['gold', 'Revenue'], { sql: 'gold/revenue.sql' }) },
    problems: [
      'pipelines/shop/pipeline.ts: gold.Revenue: got the name of gold.revenue too; expected two names that differ by more than case',
      'pipelines/shop/pipeline.ts: gold.Revenue: got "Revenue"; expected a name of at most 100 lower case letters, digits and single _, starting with a letter, such as "revenue"',
    ],
  },
  {
    name: 'former names that other columns have, and none',
    given: {
      definition: shopWith(['sources', 'customers', 'columns'], {
        customer_id: { type: 'bigint', renamedFrom: 'customer_id' },
        name: { type: 'string', renamedFrom: ['region', 'title'] },
        region: { type: 'string', renamedFrom: ['zone', 'zone'] },
        label: { type: 'string', renamedFrom: 'title' },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.columns.region.renamedFrom: got ["zone","zone"]; expected the name that it had before, or a list of them, each once',
      'pipelines/shop/pipeline.ts: sources.customers.columns.customer_id.renamedFrom: got "customer_id"; expected a name of before, other than that of now',
      'pipelines/shop/pipeline.ts: sources.customers.columns.name.renamedFrom: got "region"; expected a name that only it had; "region" is declared with that name as well',
      'pipelines/shop/pipeline.ts: sources.customers.columns.name.renamedFrom: got "title"; expected a name that only it had; "label" is declared with that name as well',
      'pipelines/shop/pipeline.ts: sources.customers.columns.label.renamedFrom: got "title"; expected a name that only it had; "name" is declared with that name as well',
    ],
  },
  {
    name: 'former names of a model that it has, and has not',
    given: { definition: shopWith(['silver', 'orders', 'renamed'], { note: 'amount', total: 'sum', region: ['sum'] }) },
    problems: [
      'pipelines/shop/pipeline.ts: silver.orders.renamed.note: got "amount"; expected a name that only it had; the column "amount" has it as well',
      'pipelines/shop/pipeline.ts: silver.orders.renamed.total: got the column "total"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region',
      'pipelines/shop/pipeline.ts: silver.orders.renamed.region: got "sum"; expected a name that only it had; the column "total" has it as well',
    ],
  },
  {
    name: 'a default where no column can be lacking',
    given: {
      definition: shopWith(
        ['sources', 'customers'],
        csv({ header: false, columns: { ...COLUMNS, score: { type: 'int', default: 0 } } }),
      ),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.columns.score.default: got "0"; expected no default with header: false, whose files have all columns',
    ],
  },
  {
    name: 'defaults that are no values of their columns',
    given: {
      definition: shopWith(['sources', 'customers', 'columns'], {
        ...COLUMNS,
        a: { type: 'int', default: 1.5 },
        b: { type: 'date', default: 'soon' },
        c: { type: 'string', in: ['x', 'y'], default: 'z' },
        d: { type: 'decimal(5,2)', min: '1', default: 0 },
        e: { type: 'list<int>', default: '[]' },
        f: { type: 'string', pattern: '[A-Z]+', default: 'n/a' },
        g: { type: 'boolean', default: null },
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: sources.customers.columns.e.default: got default on a column of type list<int>; expected a column of text, numbers, dates, times or booleans',
      'pipelines/shop/pipeline.ts: sources.customers.columns.g.default: got null; expected a text, number or boolean; text for decimals, dates and times',
      'pipelines/shop/pipeline.ts: sources.customers.columns.a.default: got "1.5"; expected a value of type int',
      'pipelines/shop/pipeline.ts: sources.customers.columns.b.default: got "soon"; expected a value of type date',
      'pipelines/shop/pipeline.ts: sources.customers.columns.c.default: got "z"; expected a value that passes the column\'s own in',
      'pipelines/shop/pipeline.ts: sources.customers.columns.d.default: got "0"; expected a value that passes the column\'s own min',
      'pipelines/shop/pipeline.ts: sources.customers.columns.f.default: got "n/a"; expected a value that passes the column\'s own pattern',
    ],
  },
  {
    name: 'drop in gold',
    given: {
      definition: shopWith(['gold', 'revenue', 'expect'], { paid: { condition: 'revenue > 0', policy: 'drop' } }),
    },
    problems: [
      `pipelines/shop/pipeline.ts: gold.revenue.expect.paid.policy: got 'drop' in gold; expected 'fail' or 'warn': a gold row comes from many source rows, so none could be quarantined; filter it in the SQL`,
    ],
  },
  {
    name: 'expectations that are none',
    given: {
      definition: shopWith(EXPECT, {
        a: 5,
        b: { condition: 'amount > 0', policy: 'ignore' },
        c: rowCount({}),
        d: rowCount({ min: 3, max: 1 }),
        e: { kind: 'uniq' },
        f: { condition: 'a', sql: 'b' },
        g: {},
        DUPLICATE_failure: 'amount > 0',
      }),
    },
    problems: [
      `pipelines/shop/pipeline.ts: silver.orders.expect.a: got 5; expected an SQL condition, { condition, policy }, unique('column'), rowCount({ min, max }) or query('select ...')`,
      `pipelines/shop/pipeline.ts: silver.orders.expect.b.policy: got "ignore"; expected 'fail', 'warn' or 'drop'`,
      'pipelines/shop/pipeline.ts: silver.orders.expect.c: got neither min nor max; expected rowCount({ min: 1 }), rowCount({ max: 100 }) or both',
      'pipelines/shop/pipeline.ts: silver.orders.expect.d.min: got 3; expected at most max, which is 1',
      'pipelines/shop/pipeline.ts: silver.orders.expect.e.kind: got "uniq"; expected one of unique, rowCount, query; did you mean "unique"?',
      'pipelines/shop/pipeline.ts: silver.orders.expect.f.condition: got both condition and sql; expected one SQL condition',
      'pipelines/shop/pipeline.ts: silver.orders.expect.g.condition: got nothing; expected one SQL condition',
      'pipelines/shop/pipeline.ts: silver.orders.expect.DUPLICATE_failure: got the error code "DUPLICATE_FAILURE"; expected letters, digits and _ from a letter on, other than DUPLICATE_FAILURE, MAX_ATTEMPTS',
    ],
  },
  {
    name: 'expectations that do not bind',
    given: {
      definition: shopWith(EXPECT, {
        a: 'amont > 0',
        b: unique('id'),
        c: query('select * from silver.orders'),
        d: query('select nope from this'),
        e: query('selct 1'),
        f: { condition: 'ordered_at <= current_timestamp', policy: 'drop' },
        g: 'amount > 0 -- paid',
        h: query('from this;'),
        i: query("from this where exists (from read_text('/etc/passwd'))"),
      }),
    },
    problems: [
      'pipelines/shop/pipeline.ts: silver.orders.expect.a: got "amont > 0": Referenced column "amont" not found in FROM clause; expected a column that is there: "amount", "region", "customer_id"; did you mean "amount"?',
      'pipelines/shop/pipeline.ts: silver.orders.expect.b.columns[0]: got the column "id"; expected one of order_id, customer_id, ordered_at, amount, note, tags, region',
      `pipelines/shop/pipeline.ts: silver.orders.expect.c.query: got the table silver.orders; expected one SELECT from this, such as 'select * from this where ...'`,
      'pipelines/shop/pipeline.ts: silver.orders.expect.d.query: got line 1, column 8: Referenced column "nope" not found in FROM clause; expected a column that is there: "note", "order_id", "ordered_at", "customer_id"; did you mean "note"?',
      `pipelines/shop/pipeline.ts: silver.orders.expect.e.query: got line 1, column 1: syntax error at or near "selct"; expected one SELECT from this, such as 'select * from this where ...'`,
      'pipelines/shop/pipeline.ts: silver.orders.expect.f: got current_timestamp in "ordered_at <= current_timestamp"; expected a condition that a retry decides in the same way, so without the clock or chance; in its place run_date() or run_time(), which the plan of a run fixes',
      'pipelines/shop/pipeline.ts: silver.orders.expect.g: got "amount > 0 -- paid": syntax error at end of input; expected an SQL condition over the columns of one row',
      `pipelines/shop/pipeline.ts: silver.orders.expect.h.query: got a semicolon or a comment at the end; expected one SELECT from this, such as 'select * from this where ...'`,
      `pipelines/shop/pipeline.ts: silver.orders.expect.i.query: got the table function read_text; expected one SELECT from this, such as 'select * from this where ...'`,
    ],
  },
  {
    name: 'exports of which a row may make the path that another has, or a folder of it',
    given: {
      definition: shopWith(['silver', 'orders', 'export'], {
        csv: { to: 'bills/all.txt' },
        json: { to: 'notes' },
        parquet: { to: 'bills/all.parquet' },
        files: { name: '{region}/{order_id}.txt', text: '{amount}' },
      }),
    },
    problems: [
      `pipelines/shop/pipeline.ts: silver.orders.export.files.name: got "{region}/{order_id}.txt"; expected a path of its own, whatever the columns hold: silver.orders.export.csv.to has "bills/all.txt"`,
    ],
  },
];

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

for (const { name, given, problems } of MISTAKES) {
  test(`reports ${name}`, async () => {
    const found = await problemsOf(session, given);
    assert.deepEqual(
      found.map((problem) => renderProblem(problem).trim()),
      problems,
    );
  });
}
