import { writeFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { functionsOfRole, ROLE_NAMES } from '../../lib/core/roles.ts';
import { APPLICATION, deploy, FOLLOWER, LEADER } from './deployment.ts';
import { statementsOf } from './policies.ts';
import { ACCOUNT, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';

export const PERMISSIONS_FILE = new URL('../../docs/aws-permissions.md', import.meta.url);

type Row = { readonly who: string; readonly action: string; readonly resource: string };

const INTRODUCTION = `# What each function may do

Generated from the synthesized template of a pipeline by \`npm run docs:permissions\`; a test fails when the two differ. Functions
of one kind of work share a role, the fourth of which is also that of the state machines and the schedules. \`<pipeline>\` is the pipeline's name (with \`-\`
for \`_\` in names of functions, state machine and logs). With a stage, \`strata\` reads \`strata-<stage>\` and databases begin with
\`<stage>_\`. What is allowed on \`<other>\` is so only for pipelines whose tables the pipeline's gold reads, in the layers that it reads.
`;

/** docs/aws-permissions.md as the template of a pipeline gives it. */
export async function renderPermissions(): Promise<string> {
  const { pipelines } = await deploy({ pipelines: [FOLLOWER, LEADER] });
  const template = pipelines[FOLLOWER.name];
  if (template === undefined) throw new Error(`no stack for ${FOLLOWER.name}`);
  return `${INTRODUCTION}\n${renderTable(rowsOf(template))}`;
}

/** Rows of actions and what they are allowed on, by role. */
export function rowsOf(template: Template): readonly Row[] {
  return ROLE_NAMES.flatMap((name) => {
    const { id } = resourceOf(template, 'AWS::IAM::Role', `${name}Role`);
    const others = name === 'Run' ? ['the state machines', 'the schedules'] : [];
    const who = [...functionsOfRole(name), ...others].join(', ');
    const named = namesOf(template);
    const rows = statementsOf(template, id).flatMap(({ actions, resources, condition }) =>
      resources.flatMap((resource) =>
        actions.map((action) => ({ who, action, resource: `${readable(resource, named)}${prefixesOf(condition)}` })),
      ),
    );
    return mergeRows(rows);
  });
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
  const named = names.get(resource.replace(/\.Arn$/, ''));
  if (named !== undefined) return general(named);
  if (resource.endsWith(':key/*')) return 'any key of the account, by way of S3 for the buckets of the lake';
  if (!resource.startsWith('arn:')) throw new Error(`the permissions table has no name for ${resource}`);
  return `\`${general(resource)}\``;
}

function prefixesOf(condition: Fields): string {
  const { StringLikeIfExists, ...others } = 'StringEquals' in condition ? {} : condition;
  if (Object.keys(others).length > 0) throw new Error(`the permissions table cannot tell ${JSON.stringify(others)}`);
  if (StringLikeIfExists === undefined) return '';
  const prefixes = list((StringLikeIfExists as Fields)['s3:prefix']).map((prefix) => `\`${general(String(prefix))}\``);
  return `, names like ${prefixes.join(', ')}`;
}

function general(text: string): string {
  return text
    .replaceAll(ACCOUNT, '<account>')
    .replaceAll(REGION, '<region>')
    .replaceAll(APPLICATION, '<application>')
    .replaceAll(/web[_-]shop/g, '<pipeline>')
    .replaceAll(/(?<=\/)leader/g, '<other>');
}

/** A Markdown table, which names a role in its first row only. */
function renderTable(rows: readonly Row[]): string {
  const cells = rows.map(({ who, action, resource }, at) => [rows[at - 1]?.who === who ? '' : who, action, resource]);
  const lines = [['role of', 'may', 'on'], ['---', '---', '---'], ...cells].map((row) => `| ${row.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) writeFileSync(PERMISSIONS_FILE, await renderPermissions());
