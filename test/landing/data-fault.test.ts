import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError, Unavailable } from '../../lib/core/errors.ts';
import { dataFault } from '../../lib/landing/data-fault.ts';

const OF_THE_FILE: readonly (readonly [string, string])[] = [
  ['count: Invalid Input Error: No magic bytes found at end of file', 'No magic bytes found at end of file'],
  ['count: IO Error: Could not read enough bytes from file "x.parquet"\nmore', 'Could not read enough bytes'],
];
for (const [message, reason] of OF_THE_FILE) {
  test(`the file is to blame for: ${reason}`, () => {
    assert.equal(dataFault(new EngineError(message)), message.split('\n')[0]);
  });
}

const NOT_OF_THE_FILE: readonly Error[] = [
  new EngineError('count: Out of Memory Error: failed to allocate data of size 32.0 MiB (34.0 MiB/61.0 MiB used)'),
  new EngineError('count: IO Error: Could not write file "/tmp/strata/x.tmp": No space left on device'),
  new EngineError('count: INTERNAL Error: x'),
  new EngineError('count: Binder Error: x'),
  new Unavailable('s3:GetObject is not possible now'),
];
for (const cause of NOT_OF_THE_FILE) {
  test(`no file is to blame for: ${cause.message}`, () => {
    assert.throws(
      () => dataFault(cause),
      (thrown) => thrown === cause,
    );
  });
}
