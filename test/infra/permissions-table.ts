import { writeFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { FUNCTIONS } from '../../lib/core/states.ts';
import { deploy, FOLLOWER, LEADER } from './deployment.ts';
import { type Statement, statementsOf, statementsOfFunction } from './policies.ts';
import { ACCOUNT, type Fields, list, REGION, resourcesOf } from './resources.ts';

export const PERMISSIONS_FILE = new URL('../../docs/aws-permissions.md', import.meta.url);

type Row = { readonly who: string; readonly action: string; readonly resource: string };

const INTRODUCTION = `# What each function may do

Generated from the synthesized template of a pipeline by \`npm run docs:permissions\`; a test fails when the two differ. Each
function has a role of its own, and so have the state machines and the schedule. \`<pipeline>\` is the pipeline's name (with \`-\`
for \`_\` in names of functions, state machine and logs). With a stage, \`strata\` reads \`strata-<stage>\` and databases begin with
\`<stage>_\`. Rows with _KMS_ are there only with \`-c kms=true\`, and what is allowed on \`<other>\` only for pipelines whose tables the
pipeline's gold reads, in the layers that it reads. What Commit is allowed on \`exports/\` is there only for pipelines that [export](exports.md).
`;

/** docs/aws-permissions.md as the template of a pipeline gives it. */
export async function renderPermissions(): Promise<string> {
  const { pipelines } = await deploy({ pipelines: [FOLLOWER, LEADER], context: { kms: 'true' } });
  const template = pipelines[FOLLOWER.name];
  if (template === undefined) throw new Error(`no stack for ${FOLLOWER.name}`);
  return `${INTRODUCTION}\n${renderTable(rowsOf(template))}`;
}

/** Rows of actions and what they are allowed on, by function; functions in the order of a run, then the other roles. */
export function rowsOf(template: Template): readonly Row[] {
  const others = resourcesOf(template, 'AWS::IAM::Role').filter(({ id }) =>
    /^(Machine|Maintenance|Schedule)Role/.test(id),
  );
  const holders: readonly (readonly [string, readonly Statement[]])[] = [
    ...FUNCTIONS.map((name) => [name, statementsOfFunction(template, name)] as const),
    ...others.map(({ id }) => [nameOfRole(id), statementsOf(template, id)] as const),
  ];
  const names = namesOf(template);
  return holders.flatMap(([who, statements]) => {
    const rows = statements.flatMap(({ actions, resources, condition }) =>
      resources.flatMap((resource) =>
        actions.map((action) => ({ who, action, resource: `${readable(resource, names)}${prefixesOf(condition)}` })),
      ),
    );
    return mergeRows(rows);
  });
}

function nameOfRole(id: string): string {
  if (id.startsWith('Maintenance')) return 'state machine of maintenance';
  return id.startsWith('Machine') ? 'state machine' : 'schedule';
}

/** What the same actions are allowed on shares a row; statements that say the same are one. */
function mergeRows(rows: readonly Row[]): readonly Row[] {
  const actions = grouped(rows.map(({ resource, action }) => [resource, action]));
  const resources = grouped(
    [...actions].map(([resource, set]) => [
      [...set]
        .sort()
        .map((action) => `\`${action}\``)
        .join(', '),
      resource,
    ]),
  );
  const who = rows[0]?.who ?? '';
  return [...resources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([action, set]) => ({ who, action, resource: [...set].sort().join('<br>') }));
}

function grouped(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const [key, value] of pairs) groups.set(key, (groups.get(key) ?? new Set()).add(value));
  return groups;
}

/** What references in policies stand for, by logical id. */
function namesOf(template: Template): ReadonlyMap<string, string> {
  const all: readonly (readonly [type: string, name: (id: string, properties: Fields) => string])[] = [
    ['AWS::Lambda::Function', (_, { FunctionName }) => `function \`${FunctionName}\``],
    ['AWS::Logs::LogGroup', (_, { LogGroupName }) => `log group \`${LogGroupName}\``],
    ['AWS::SNS::Topic', () => 'the topic of alerts'],
    ['AWS::SQS::Queue', (id) => (id.startsWith('Dead') ? 'the queue of dead letters' : 'the queue of uploads')],
  ];
  return new Map(
    all.flatMap(([type, name]) => resourcesOf(template, type).map(({ id, properties }) => [id, name(id, properties)])),
  );
}

/** Throws for a reference that it has no name for, so that nothing is left out of the document. */
function readable(resource: string, names: ReadonlyMap<string, string>): string {
  if (resource === '*') return 'all, as AWS has nothing to name here';
  const named = names.get(resource.replace(/\.Arn(:\*)?$/, ''));
  if (named !== undefined) return `${general(named)}${resource.endsWith(':*') ? ', each of its versions' : ''}`;
  if (resource.includes('DataKey')) return "_KMS_: the data's key";
  if (!resource.startsWith('arn:')) throw new Error(`the permissions table has no name for ${resource}`);
  return `\`${general(resource)}\``;
}

function prefixesOf(condition: Fields): string {
  const { StringLikeIfExists, ...others } = condition;
  if (Object.keys(others).length > 0) throw new Error(`the permissions table cannot tell ${JSON.stringify(others)}`);
  if (StringLikeIfExists === undefined) return '';
  const prefixes = list((StringLikeIfExists as Fields)['s3:prefix']).map((prefix) => `\`${general(String(prefix))}\``);
  return `, names like ${prefixes.join(', ')}`;
}

function general(text: string): string {
  return text
    .replaceAll(ACCOUNT, '<account>')
    .replaceAll(REGION, '<region>')
    .replaceAll(/web[_-]shop/g, '<pipeline>')
    .replaceAll(/(?<=\/)leader/g, '<other>');
}

/** A Markdown table, which names a function in its first row only. */
function renderTable(rows: readonly Row[]): string {
  const cells = rows.map(({ who, action, resource }, at) => [rows[at - 1]?.who === who ? '' : who, action, resource]);
  const lines = [['function', 'may', 'on'], ['---', '---', '---'], ...cells].map((row) => `| ${row.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) writeFileSync(PERMISSIONS_FILE, await renderPermissions());
