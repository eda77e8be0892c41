import { ALARMS } from '../core/alarms.ts';
import type { Expectation, PipelineSpec } from '../core/spec.ts';
import type { ModelEntry } from './models.ts';
import { markdownText } from './page/html.ts';
import type { Judged } from './slo.ts';
import type { PipelineStatus } from './status.ts';

/** What a runbook is made of, each time anew, so that it says what is. */
export type RunbookFacts = {
  readonly spec: PipelineSpec;
  readonly status: PipelineStatus;
  readonly models: readonly ModelEntry[];
  /** How a command is called on the lake that it is about. */
  readonly call: (command: string) => string;
  /** The name that its state machine has on AWS, or would have: functions and alarms begin with it. */
  readonly machine: string;
  /** Whether that is a deployed one. */
  readonly deployed: boolean;
};

/** How to run a pipeline and mend it, as Markdown. */
export function renderRunbook(facts: RunbookFacts): string {
  const { spec } = facts;
  const sections = [
    about(facts),
    flow(facts),
    promises(facts),
    commands(facts),
    checks(spec),
    failures(facts),
    again(facts),
    logs(facts),
  ];
  return `# ${spec.name}\n\n${sections.join('\n\n')}\n`;
}

function about({ spec, status }: RunbookFacts): string {
  const schedules = (spec.schedules ?? []).map(({ name, cron, zone }) => `${name}: \`${cron}\` (${zone})`);
  const after = (spec.after ?? []).map((name) => `after ${name}`);
  const started = [...(spec.schedule === null ? [] : [`\`${spec.schedule}\``]), ...schedules, ...after];
  return list([
    [
      'Purpose',
      spec.description === null
        ? 'not said: `description` in the definition of the pipeline'
        : markdownText(spec.description),
    ],
    ['Owner', spec.owner === null ? 'nobody: `owner` in the definition of the pipeline' : markdownText(spec.owner)],
    ['Tier', spec.tier === null ? 'not said' : String(spec.tier)],
    ['Schedule', started.length === 0 ? 'when files land, or on demand' : started.join(', ')],
    ['As of', status.at],
  ]);
}

function flow({ spec, models }: RunbookFacts): string {
  const own = spec.sources.map(({ name }) => `bronze/${spec.name}/${name}`);
  const others = (spec.others ?? []).map((one) => `${one.pipeline}_${one.layer}.${one.name}`);
  const rows = models.map((one) => [
    one.model,
    one.inputs.join(', '),
    one.outputs.filter((name) => name !== one.model).join(', ') || '-',
    markdownText(one.description ?? ''),
  ]);
  return section('Inputs and outputs', [
    `Reads ${[...own, ...others].map(code).join(', ') || 'nothing'}.`,
    table(['table', 'from', 'also writes', 'what it is'], rows),
  ]);
}

function promises({ status, call }: RunbookFacts): string {
  const { runs, last_run, last_success, mttr_ms, open_incident, breaker, awaiting, days } = status;
  const figures = list([
    [
      'Last run',
      last_run === null ? 'none yet' : `${code(last_run.run_id)} ${last_run.status} at ${last_run.finished_at}`,
    ],
    ['Last success', last_success ?? 'none yet'],
    [
      `p95 of ${days} days`,
      runs.p95 === null ? 'not known' : `${time(runs.p95)} of ${runs.n} runs${runs.few ? ', too few to rely on' : ''}`,
    ],
    [`Success rate of ${days} days`, runs.success_rate === null ? 'not known' : `${round(runs.success_rate)} %`],
    [`Mean time to repair of ${days} days`, mttr_ms === null ? 'no incident ended' : time(mttr_ms)],
    [
      'Open incident',
      open_incident === null ? 'none' : `since ${open_incident.since}: ${markdownText(open_incident.error ?? '')}`,
    ],
    ['Circuit breaker', breaker],
    ...(awaiting === undefined
      ? []
      : [
          [
            'Awaits a decision',
            `run ${code(awaiting.run_id)}, which is rejected at ${awaiting.expires_at}: ${code(call(`review ${awaiting.run_id}`))}`,
          ] as const,
        ]),
  ]);
  const slo = status.slo.map((one) => [
    one.name,
    target(one),
    actual(one),
    one.attained === null ? '-' : `${round(one.attained)} %`,
    one.state,
  ]);
  const promised =
    slo.length === 0 ? 'Nothing is promised (`slo`).' : table(['promise', 'target', 'now', 'attained', 'state'], slo);
  return section('Promises', [promised, figures, `Now: ${code(call(`status ${status.pipeline}`))}`]);
}

function commands({ spec: { name }, call }: RunbookFacts): string {
  return section('Running it', [
    lines([
      ['what a run would do, and why', call(`plan ${name}`)],
      ['a run; it finishes one that was begun first', call(`run ${name}`)],
      ['how it does, and its runs', call(`status ${name}`)],
      ['', call(`runs ${name}`)],
    ]),
  ]);
}

function checks({ name, models }: PipelineSpec): string {
  const rows = models.flatMap((model) =>
    model.expect.map((one) => [`${name}_${model.layer}.${model.name}`, one.name, one.policy, code(conditionOf(one))]),
  );
  return section('Checks', [
    rows.length === 0 ? 'No expectation is declared.' : table(['table', 'expectation', 'else', 'what must hold'], rows),
  ]);
}

function conditionOf(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'row':
      return expectation.condition;
    case 'unique':
      return `unique(${expectation.columns.join(', ')})`;
    case 'rowCount':
      return `${expectation.min ?? 0} <= rows${expectation.max === null ? '' : ` <= ${expectation.max}`}`;
    case 'sql':
      return `no row in ${oneLine(expectation.query)}`;
  }
}

function failures({ spec: { name }, call, machine }: RunbookFacts): string {
  const alarms = Object.entries(ALARMS).map(([alarm, { means, does }]) => [
    code(`${machine}-${alarm}`),
    means,
    does.replaceAll('<pipeline>', name),
  ]);
  const local = [
    ['a run ends with 3', 'another run is at work', `wait, or ${code(call(`run ${name} --wait`))}`],
    [
      'the circuit breaker is open',
      'too many rows of one error code',
      `look at them, then ${code(call(`breaker close ${name}`))}`,
    ],
    ['suspended files', 'workers died of them', code(call(`files retry ${name}`))],
    [
      'an expectation fails',
      'nothing was published',
      `${code(call(`check ${name}`))}, correct the file, land it, run again`,
    ],
  ];
  return section('Known failures', [
    table(['alarm, or what is seen', 'what it means', 'what to do'], [...local, ...alarms]),
  ]);
}

function again({ spec: { name, sources }, call }: RunbookFacts): string {
  const [source] = sources;
  return section('Doing it again', [
    lines([
      ['rejected rows, by code and raw', call(`quarantine list ${name}`)],
      [
        'corrected files, in the place of what they were',
        call(`reprocess ${name} --source ${source?.name ?? '<source>'} --file <file>`),
      ],
      ['tables anew from all that has landed', call(`backfill ${name} --select <table>`)],
      ['a table as it was', call(`rollback ${name}_silver.<table> --to <run>`)],
    ]),
  ]);
}

function logs({ spec: { name }, deployed, machine }: RunbookFacts): string {
  const kept = [
    [`runs, those that failed too`, code(`${name}_ops.runs`)],
    ['what each model did', code(`${name}_ops.model_runs`)],
    ['plan and result of a run', code(`ops/${name}/_runs/<run_id>/`)],
    ...(deployed
      ? [
          ['log of a function', code(`/aws/lambda/${machine}-*`)],
          ['the execution', `Step Functions, state machine ${code(machine)}`],
        ]
      : [['log of a run', 'what it prints to stderr']]),
  ];
  return section('Where to look', [table(['what', 'where'], kept)]);
}

function target({ name, target: wanted }: Judged): string {
  if (typeof wanted === 'string') return wanted;
  return isShare(name) ? `${wanted} %` : time(wanted);
}

function actual({ name, actual: is }: Judged): string {
  if (is === null) return 'not known';
  return isShare(name) || name === 'ready' ? `${round(is)} %` : time(is);
}

const isShare = (name: Judged['name']): boolean => name === 'successRate' || name === 'quarantineRate';

const round = (value: number): number => Math.round(value * 100) / 100;

function time(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${round(ms / 60_000)} min` : `${round(ms / 3_600_000)} h`;
}

function section(title: string, parts: readonly string[]): string {
  return [`## ${title}`, ...parts].join('\n\n');
}

function list(items: readonly (readonly [string, string])[]): string {
  return items.map(([name, text]) => `- ${name}: ${text}`).join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

function lines(items: readonly (readonly [string, string])[]): string {
  const text = items.map(([why, command]) => (why === '' ? command : `# ${why}\n${command}`));
  return ['```sh', ...text, '```'].join('\n');
}

/** Of what is Markdown already: a table takes one backslash from each of its bars, and leaves what Markdown reads then. */
function cell(text: string): string {
  return oneLine(text).replaceAll('|', '\\|');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  if (longest === 0) return `\`${text}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${text} ${fence}`;
}
