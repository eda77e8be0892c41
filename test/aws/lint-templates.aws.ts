import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const SCRIPT = join(import.meta.dirname, 'lint-templates.ts');

const topic = (properties: object) => ({ Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: properties } } });

const CASES: readonly [why: string, templates: Readonly<Record<string, object>>, code: number, says: RegExp][] = [
  ['no templates', {}, 1, /no templates in .*cdk synth/],
  ['good templates', { 'a.template.json': topic({ DisplayName: 'x' }) }, 0, /1 templates, nothing found/],
  [
    'an error',
    { 'a.template.json': topic({}), 'b.template.json': topic({ DisplayNam: 'x' }) },
    2,
    /E3002.*DisplayNam/s,
  ],
  ['an error in a nested assembly', { 'assembly-x/b.template.json': topic({ DisplayNam: 'x' }) }, 2, /E3002/],
  [
    'a warning',
    { 'a.template.json': { ...topic({}), Parameters: { Unused: { Type: 'String' } } } },
    4,
    /W2001.*Unused/s,
  ],
];

describe('the lint of templates', () => {
  for (const [why, templates, code, says] of CASES) {
    it(`ends with ${code} for ${why}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'strata-templates-'));
      try {
        for (const [name, template] of Object.entries(templates)) {
          await mkdir(join(folder, name, '..'), { recursive: true });
          await writeFile(join(folder, name), JSON.stringify(template));
        }
        const result = await lint(folder);
        assert.equal(result.code, code, result.output);
        assert.match(result.output, says);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});

function lint(folder: string): Promise<{ code: number | string; output: string }> {
  return new Promise((ended) => {
    execFile(process.execPath, [SCRIPT, folder], (error, stdout, stderr) =>
      ended({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
    );
  });
}
