/** Names that people give to files, and keys that a folder, S3 or a shell would take for something else. */
export const ODD_KEYS: readonly string[] = [
  'bronze/p/s/plain.csv',
  'bronze/p/s/with space.csv',
  `bronze/p/s/it's "quoted".csv`,
  'bronze/p/s/semi;colon --.csv',
  "bronze/p/s/'; DROP TABLE x; --.csv",
  'bronze/p/s/50%.csv',
  'bronze/p/s/%2e%2e%2f.csv',
  'bronze/p/s/hash#and?query=1&b=2.csv',
  'bronze/p/s/star*[a-z]{1,2}.csv',
  'bronze/p/s/back\\slash\tand\nnewline.csv',
  'bronze/p/s/naïve café.csv',
  'bronze/p/s/中文 \u{1f600}.csv',
  'bronze/p/s/\ufb01 after.csv',
  'bronze/p/s/-rf',
  'bronze/p/s/.hidden',
  'bronze/p/s/a..b',
  'bronze/p/s/a+b=c,d@e:f.csv',
  'bronze/p/s/dir.csv/inner.csv',
];

/** What no store may accept. */
export const BAD_KEYS: readonly string[] = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  'a/./b',
  '../a',
  'a/..',
  'a\0b',
  'a/\ud800',
  'ops/.strata-x',
];
