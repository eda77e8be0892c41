import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blocksOf, missingLines, withoutChance } from './blocks.ts';

describe('the blocks of a page', () => {
  test('are all found, with what their fences say', () => {
    const blocks = blocksOf('README.md');
    const file = blocks.find((block) => block.options['file'] === 'pipelines/store/pipeline.ts');
    assert.equal(file?.language, 'ts');
    assert.match(file?.text ?? '', /^import .*\n[\s\S]*\}\);\n$/);
    const demo = blocks.find((block) => block.options['of'] === 'npx strata demo');
    assert.deepEqual(demo?.words, ['part']);
    const install = blocks.find((block) => block.options['by'] === 'test:package');
    assert.match(install?.text ?? '', /npx strata init/);
  });

  test('follow each other only with nothing between them', () => {
    const [, printed] = blocksOf('docs/models.md')
      .filter((block) => block.language !== 'yaml')
      .slice(1);
    assert.equal(printed?.follows, true);
    assert.equal(blocksOf('README.md')[1]?.follows, false);
  });
});

describe('what is printed', () => {
  test('is compared without what is another each time', () => {
    assert.equal(
      withoutChance('run 20261121T005331-ac52146848e9 published 11 tables in 2.4 s  \nat 7847005134801695173, 12 ms\n'),
      'run RUN published 11 tables in TIME\nat SNAPSHOT, TIME\n',
    );
  });

  test('has the lines of a part in their order', () => {
    assert.deepEqual(missingLines('a\nc', 'a\nb\nc'), []);
    assert.deepEqual(missingLines('c\na', 'a\nb\nc'), ['a']);
    assert.deepEqual(missingLines('a\na', 'a\nb'), ['a']);
    assert.deepEqual(missingLines('x', 'a'), ['x']);
  });
});
