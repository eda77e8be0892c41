import { createHash } from 'node:crypto';
import { InvalidInput, type Problem } from './errors.ts';

/** The longest names that AWS takes. Source: the service quotas of Lambda, Step Functions, IAM and S3. */
const LONGEST_FUNCTION = 64;
const LONGEST_STATE_MACHINE = 80;
const LONGEST_DEPLOYMENT = 20;
/** Source: docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html */
const LONGEST_SCHEDULE = 64;
/** Of a longer name its hash is kept, and so many characters. */
const HASH_CHARACTERS = 8;
const KEPT_OF_LONG = LONGEST_SCHEDULE - HASH_CHARACTERS - 1;

/**
 * Names of what is deployed, as the stacks give them and as commands look for them. Two deployments share an account
 * because each name carries that of its deployment.
 */
export type DeploymentNames = {
  /** '' for the one without a name. */
  readonly deployment: string;
  /** Before the name of every Glue database: '' or `<deployment>_`. */
  readonly databasePrefix: string;
  /** `strata-lake`, or `strata-<deployment>-lake`. */
  readonly lakeStack: string;
  readonly workgroup: string;
  /** The alias of the lake's key, by which alerts are encrypted. */
  readonly alertsKey: string;
  /** The parameter that has the ARN of that key. */
  readonly keyParameter: string;
  /** `strata-<pipeline>`, or `strata-<deployment>-<pipeline>`, with `-` for each `_`. */
  pipelineStack(pipeline: string): string;
  stateMachine(pipeline: string): string;
  /** Of its maintenance; with `_`, which no other name has, so that it is that of no pipeline. */
  maintenance(pipeline: string): string;
  /** Of the schedule on which all of its bronze is compared. */
  comparison(pipeline: string): string;
  /** Of the schedule of a branch; of one of several expressions, from 1 on. */
  branch(pipeline: string, branch: string, at: number): string;
  /** Of what lands a source from elsewhere; with `_`, as maintenance. */
  origin(pipeline: string, source: string): string;
  /** What the names of all of them begin with, also of those that are shortened. */
  origins(pipeline: string): string;
  /** `step` in the words of its folder: `plan-stage`. */
  lambda(pipeline: string, step: string): string;
  /** By which metrics and logs tell pipelines and deployments apart. */
  service(pipeline: string): string;
};

/** What the name of a state machine of maintenance ends in. */
export const MAINTENANCE = '_maintenance';

/** What the output DatabasePrefix says when databases have none, since an output cannot be empty. */
export const NO_PREFIX = 'none';

/**
 * Names of a deployment, undefined: of the one without a name. Throws InvalidInput for a name that cannot be part of
 * others; `place` is what it was given by, such as `--stage`.
 */
export function deploymentNames(deployment: string | undefined, place: string): DeploymentNames {
  if (deployment !== undefined && (!/^[a-z][a-z0-9]*$/.test(deployment) || deployment.length > LONGEST_DEPLOYMENT)) {
    throw new InvalidInput(
      `${place}: got ${JSON.stringify(deployment)}; expected at most ${LONGEST_DEPLOYMENT} lower case letters and digits, such as dev`,
    );
  }
  const base = deployment === undefined ? 'strata' : `strata-${deployment}`;
  const databasePrefix = deployment === undefined ? '' : `${deployment}_`;
  const own = (pipeline: string): string => `${base}-${pipeline.replaceAll('_', '-')}`;
  return {
    deployment: deployment ?? '',
    databasePrefix,
    lakeStack: `${base}-lake`,
    workgroup: base,
    alertsKey: `alias/${base}-alerts`,
    keyParameter: `/${base}/key`,
    pipelineStack: own,
    stateMachine: own,
    maintenance: (pipeline) => `${own(pipeline)}${MAINTENANCE}`,
    comparison: (pipeline) => `${own(pipeline)}_comparison`,
    branch: (pipeline, branch, at) => shortened(`${own(pipeline)}_branch_${branch}${at === 1 ? '' : `_${at}`}`),
    origin: (pipeline, source) => shortened(`${own(pipeline)}_origin_${source}`),
    origins: (pipeline) => `${own(pipeline)}_origin_`.slice(0, KEPT_OF_LONG),
    lambda: (pipeline, step) => `${own(pipeline)}-${step}`,
    service: (pipeline) => `${databasePrefix}${pipeline}`,
  };
}

/** The same name always, and one that the scheduler takes. */
function shortened(name: string): string {
  if (name.length <= LONGEST_SCHEDULE) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  return `${name.slice(0, KEPT_OF_LONG)}_${hash}`;
}

/** Throws InvalidInput with every name that AWS would refuse, before anything is deployed. */
export function checkNames(names: DeploymentNames, pipelines: readonly string[], steps: readonly string[]): void {
  const problems: Problem[] = [];
  const check = (pipeline: string, place: string, name: string, longest: number): void => {
    if (name.length <= longest) return;
    const got = `${name}, ${name.length} characters`;
    const expected = `at most ${longest}: shorten the name of the pipeline's folder or the stage`;
    problems.push({ file: `pipelines/${pipeline}/pipeline.ts`, place, got, expected });
  };
  const stacks = new Map<string, string>([[names.lakeStack, 'the lake']]);
  for (const pipeline of pipelines) {
    const stack = names.pipelineStack(pipeline);
    const other = stacks.get(stack);
    if (other !== undefined) {
      const expected = `a name that differs from that of ${other} in more than _ and -`;
      problems.push({ file: `pipelines/${pipeline}/pipeline.ts`, place: 'stack', got: stack, expected });
    }
    stacks.set(stack, `pipeline ${pipeline}`);
    check(pipeline, 'state machine', names.stateMachine(pipeline), LONGEST_STATE_MACHINE);
    check(pipeline, 'state machine', names.maintenance(pipeline), LONGEST_STATE_MACHINE);
    for (const step of steps) check(pipeline, `function ${step}`, names.lambda(pipeline, step), LONGEST_FUNCTION);
  }
  if (problems.length > 0) throw new InvalidInput('these pipelines cannot be deployed under their names:', problems);
}
