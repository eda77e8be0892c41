import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { leftBehind } from '../infra/resources.ts';
import { exitCode } from '../interop/environments.ts';
import { awsPython } from './moto-server.ts';

/**
 * `node test/aws/lint-templates.ts [folder]`: cfn-lint over the templates that `cdk synth` wrote, by default to cdk.out,
 * those of nested assemblies included, and what a first deployment that fails would leave behind. Errors and warnings end it with a code other than 0; so does a folder without
 * templates. Source: https://github.com/aws-cloudformation/cfn-lint#parameters
 */

/** CDK writes a DependsOn for every dependency of a construct, also where a Ref says the same; that harms nothing. */
const ACCEPTED = ['W3005'];

const folder = process.argv[2] ?? 'cdk.out';
const templates = globSync('**/*.template.json', { cwd: folder })
  .map((file) => join(folder, file))
  .sort();

if (templates.length === 0) {
  console.error(`no templates in ${folder}: expected *.template.json; run cdk synth first`);
  process.exitCode = 1;
} else {
  const options = ['--non-zero-exit-code', 'warning', '--ignore-checks', ...ACCEPTED];
  const program = join(dirname(await awsPython()), 'cfn-lint');
  process.exitCode = await exitCode(program, [...options, '--', ...templates]);
  console.log(`cfn-lint: ${templates.length} templates${process.exitCode === 0 ? ', nothing found' : ''}`);
  const left = templates.flatMap((file) =>
    leftBehind(JSON.parse(readFileSync(file, 'utf8'))).map((id) => `${file}: ${id}`),
  );
  for (const one of left) console.error(`${one} has DeletionPolicy Retain; expected RetainExceptOnCreate`);
  if (left.length > 0) process.exitCode = 1;
}
