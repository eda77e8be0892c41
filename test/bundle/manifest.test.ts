import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { entriesOf, packedManifest, sourceManifest } from '../../lib/bundle/manifest.ts';

const TEXT = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

type Manifest = {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
};
const manifestOf = (text: string): Manifest => JSON.parse(text) as Manifest;

describe('package.json', () => {
  test('names sources: if it does not, npm pack was cut short and `npm run postpack` mends it', () => {
    assert.equal(sourceManifest(TEXT), TEXT);
  });

  test('names what was built in the tarball, and nothing else changes', () => {
    const [source, packed] = [manifestOf(TEXT), manifestOf(packedManifest(TEXT))];
    assert.deepEqual(packed.bin, { strata: 'dist/bin/strata.js' });
    assert.equal(packed.exports['.'], './dist/lib/define/index.js');
    assert.equal(packed.exports['./package.json'], './package.json');
    assert.deepEqual({ ...packed, bin: 0, exports: 0 }, { ...source, bin: 0, exports: 0 });
  });

  test('is the same again afterwards, however often it was packed or restored', () => {
    const packed = packedManifest(TEXT);
    assert.notEqual(packed, TEXT);
    assert.equal(packedManifest(packed), packed);
    assert.equal(sourceManifest(packed), TEXT);
    assert.equal(sourceManifest(sourceManifest(packed)), TEXT);
  });

  test('says what has to be built, also when it names what was built', () => {
    assert.deepEqual(entriesOf(packedManifest(TEXT)), entriesOf(TEXT));
    assert.deepEqual(entriesOf(TEXT).bin, ['bin/strata.ts']);
    assert.ok(entriesOf(TEXT).exports.includes('./lib/define/index.ts'));
  });
});
