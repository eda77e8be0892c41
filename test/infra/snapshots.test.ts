import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { deploy } from './deployment.ts';

const ASSET_HASH = /^[0-9a-f]{64}(\.zip)?$/;
/** What a version's id ends in says what the function is, and changes with it. */
const VERSION_ID = /^(\w+CurrentVersion)[0-9A-F]{8}[0-9a-f]{32}$/;

/** The template without what changes with each build of the bundles and says nothing about what is deployed. */
function masked(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one));
  if (typeof value === 'string') {
    if (key === 'DefinitionString') return masked(JSON.parse(value));
    return ASSET_HASH.test(value) ? '<asset>' : value.replace(VERSION_ID, '$1');
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== 'Metadata');
  return Object.fromEntries(fields.map(([name, one]) => [name.replace(VERSION_ID, '$1'), masked(one, name)]));
}

const WIDTH = 160;

/** JSON with what fits on a line in one line. */
function render(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= WIDTH) return line;
  const inner = `${indent} `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Object.entries(value).map(([name, one]) => {
    const text = render(one, inner);
    return Array.isArray(value) ? text : `${JSON.stringify(name)}: ${text}`;
  });
  return `${open}\n${parts.map((part) => `${inner}${part}`).join(',\n')}\n${indent}${close}`;
}

function compare(file: string, template: Template): void {
  const path = new URL(`./snapshots/${file}`, import.meta.url);
  const text = `${render(masked(template.toJSON()))}\n`;
  // The difference is then read before it is committed.
  if (process.env['UPDATE_SNAPSHOT'] === '1') writeFileSync(path, text);
  assert.deepEqual(
    JSON.parse(text),
    JSON.parse(readFileSync(path, 'utf8')),
    `${file}: read what differs, then UPDATE_SNAPSHOT=1`,
  );
  assert.equal(readFileSync(path, 'utf8'), text);
}

describe('templates are what they were', async () => {
  const { lake, pipelines } = await deploy();
  test('the lake', () => compare('lake.json', lake));
  test('a pipeline', () => compare('web_shop.json', pipelines['web_shop'] ?? assert.fail('no stack for web_shop')));
});
