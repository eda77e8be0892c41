import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { enginesOf } from '../../lib/core/implementations.ts';
import { ORIGIN_FUNCTIONS } from '../../lib/core/origins.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { LIGHT_FUNCTIONS, STATES } from '../../lib/core/states.ts';
import { append, cron, csv, definePipeline, scd2, secret, seed } from '../../lib/define/index.ts';
import { createDeployment } from '../../lib/infra/app.ts';
import type { SparkOptions } from '../../lib/infra/spark.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { compileTest, type TestPipeline } from '../support/test-lake.ts';
import { ACCOUNT } from './resources.ts';

export const DEFINITION = readFileSync(new URL('../../statemachines/medallion.asl.json', import.meta.url), 'utf8');

/** A pipeline that says all that a pipeline can say about its deployment. */
export const SHOP: TestPipeline = {
  name: 'web_shop',
  definition: definePipeline({
    name: 'web_shop',
    schedule: 'cron(0 6 * * ? *)',
    schedules: {
      monthly: cron('0 7 1 * *', { zone: 'Europe/Berlin' }),
      fridays: cron('0 7 13 * 5'),
    },
    compute: {
      memory: 2_048,
      maxConcurrency: 40,
      toleratedFailurePercentage: 5,
      steps: { Stage: { memory: 6_144, tmp: 8_192, timeout: '10m', reservedConcurrency: 40 } },
    },
    slo: { freshness: '26h', quarantineRate: 5, successRate: 95 },
    promote: { gate: { auto: [] } },
    serve: {
      postgres: {
        url: secret('REPORTS_URL'),
        tables: { totals: { from: 'gold.total' }, people: { from: 'silver.people' } },
      },
    },
    sources: {
      orders: csv({ columns: { id: 'bigint', person: 'bigint', amount: { type: 'decimal(10,2)', min: '0' } } }),
      people: csv({ columns: { id: 'bigint', at: 'int', name: 'string' }, key: ['id'], drift: 'evolve' }),
      regions: seed('regions.csv', { columns: { region: 'string' } }),
    },
    silver: {
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'at', missing: 'delete' }) },
      orders: { from: 'orders', sql: 'orders.sql', mode: append({ dedupe: 'row' }) },
    },
    gold: { total: { sql: 'total.sql', branch: 'monthly' } },
  }),
  sql: {
    'orders.sql':
      'SELECT o.id, o.amount, p.name FROM batch.orders o LEFT JOIN silver.people p ON o.person = p.id AND p.is_current',
    'regions.csv': 'region\nnorth\n',
    'total.sql': 'SELECT name, sum(amount) AS amount FROM silver.orders GROUP BY name',
  },
};

/** A pipeline that leaves everything to the defaults. */
export const PLAIN: TestPipeline = {
  name: 'plain',
  definition: definePipeline({
    name: 'plain',
    sources: { rows: csv({ columns: { id: 'bigint' } }) },
    silver: { rows: { from: 'rows', mode: append() } },
  }),
};

/** What the shop of `FOLLOWER` reads and follows. */
export const LEADER: TestPipeline = {
  name: 'leader',
  definition: definePipeline({
    name: 'leader',
    sources: { rows: csv({ columns: { id: 'bigint' } }) },
    silver: { rows: { from: 'rows', mode: append() } },
    gold: { counts: { sql: 'counts.sql' } },
    openlineage: { to: 'eventbridge:lineage' },
  }),
  sql: { 'counts.sql': 'SELECT count(*) AS n FROM silver.rows' },
};

/** The shop, with gold over tables of another pipeline, after which it runs. */
export const FOLLOWER: TestPipeline = {
  ...SHOP,
  definition: {
    ...(SHOP.definition as object),
    after: 'leader',
    alerts: { webhook: { url: secret('OPS_WEBHOOK'), format: 'slack' } },
    openlineage: { to: 'https://lineage.example.com', key: secret('LINEAGE_KEY') },
    gold: {
      total: {
        sql: { duckdb: 'total.sql', athena: 'total.athena.sql', spark: 'total.athena.sql' },
        export: { csv: { to: 'total.csv' }, files: { name: '{name}.txt', text: '{n}' } },
      },
    },
  },
  sql: {
    ...SHOP.sql,
    'total.sql': `SELECT name, sum(amount) AS amount, any_value(n) AS n FROM silver.orders, leader.gold.counts, leader.silver.rows
      GROUP BY name`,
    'total.athena.sql': 'SELECT name, sum(amount) AS amount, 1 AS n FROM silver.orders GROUP BY name',
  },
};

/** Folders with the names of the real bundles. */
export function fakeBundles({ bindingMissing = false } = {}): string {
  const folder = temporaryFolder('bundles');
  for (const name of ['worker', 'serve', ...LIGHT_FUNCTIONS.map((name) => STATES[name].file), ...ORIGIN_FUNCTIONS]) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'index.mjs'), `// ${name}\n`);
  }
  if (bindingMissing) writeFileSync(join(folder, 'worker', 'BINDING-MISSING'), '');
  return folder;
}

/** An application and a role of the user's. */
export const APPLICATION = '00fabc123';
export const SPARK_ROLE = `arn:aws:iam::${ACCOUNT}:role/spark-jobs`;

function sparkOf(stack: Stack): SparkOptions {
  return {
    applicationId: APPLICATION,
    role: Role.fromRoleArn(stack, 'SparkRole', SPARK_ROLE),
    submit: '--conf spark.executor.memory=8g',
  };
}

const compiled = new Map<TestPipeline, Promise<PipelineSpec>>();

/** Compiles a pipeline once for all tests of a file. */
export function specOf(pipeline: TestPipeline): Promise<PipelineSpec> {
  const spec = compiled.get(pipeline) ?? compileTest(pipeline, temporaryFolder('infra'), [pipeline, LEADER]);
  compiled.set(pipeline, spec);
  return spec;
}

export type DeploymentOptions = {
  readonly pipelines?: readonly TestPipeline[];
  readonly context?: Readonly<Record<string, unknown>>;
  readonly destroyData?: boolean;
  readonly bundles?: string;
};

export type Synthesized = {
  readonly app: App;
  readonly lake: Template;
  /** By the name of the pipeline. */
  readonly pipelines: Readonly<Record<string, Template>>;
};

/** The stacks of a deployment and their templates. */
export async function deploy(options: DeploymentOptions = {}): Promise<Synthesized> {
  const specs = await Promise.all((options.pipelines ?? [SHOP]).map(specOf));
  const app = new App({
    outdir: temporaryFolder('cdk'),
    // What the CDK's command adds is not what the templates are about.
    analyticsReporting: false,
    context: { ...options.context },
  });
  const { lake, pipelines } = createDeployment(app, {
    specs,
    bundles: options.bundles ?? fakeBundles(),
    definition: DEFINITION,
    pipeline: (stack, spec) => (enginesOf(spec).includes('spark') ? { spark: sparkOf(stack) } : {}),
    ...(options.destroyData === undefined ? {} : { destroyData: options.destroyData }),
  });
  const templates = pipelines.map((stack, at) => [specs[at]?.name ?? '', Template.fromStack(stack)] as const);
  return { app, lake: Template.fromStack(lake), pipelines: Object.fromEntries(templates) };
}
