import { type Diagnosis, SMALL_FILE_BYTES } from '../core/diagnosis.ts';
import { isKeyed } from '../core/keyed.ts';
import { rulesOf } from '../core/maintenance-rules.ts';
import type { ModelSpec, PipelineSpec, SourceSpec } from '../core/spec.ts';

/** What a diagnosis is about: a source, or the table of a model; neither of a table that no pipeline of the folder declares. */
export type Subject =
  | { readonly kind: 'source'; readonly spec: PipelineSpec; readonly source: SourceSpec }
  | { readonly kind: 'model'; readonly spec: PipelineSpec; readonly model: ModelSpec }
  | { readonly kind: 'unknown' };

export type Topic = 'keys' | 'skew' | 'files' | 'days' | 'schema' | 'sample' | 'nulls';

/** `warning`: something to look at. `does`: what Strata does about it, or would do. */
export type Finding = {
  readonly topic: Topic;
  readonly warning: boolean;
  readonly found: string;
  readonly does: string;
};

/** From a skew of so much on, one bucket has as many rows as two of the mean. */
const SKEWED = 2;
/**
 * A day is out of the ordinary that has fewer rows than a third of the median's, or more than three times as many, where either
 * has so many that this is not chance.
 */
const UNUSUAL = { times: 3, rows: 50 };

/** What the figures of a diagnosis mean, a finding for each topic, in the order in which they are shown. */
export function findingsOf(diagnosis: Diagnosis, subject: Subject): readonly Finding[] {
  return [
    keyFinding(diagnosis, subject),
    skewFinding(diagnosis, subject),
    fileFinding(diagnosis, subject),
    dayFinding(diagnosis, subject),
    schemaFinding(diagnosis, subject),
    sampleFinding(diagnosis),
    nullFinding(diagnosis, subject),
  ];
}

function keyFinding({ keys }: Diagnosis, subject: Subject): Finding {
  const hot = keys.flatMap(({ column, hot }) => (hot === null ? [] : [`${column} ${hot.value} has ${hot.percent} %`]));
  const found =
    hot.length > 0
      ? `hot: ${hot.join(', ')}`
      : keys.length > 0
        ? 'no value has many more rows than others'
        : 'no key is declared';
  return { topic: 'keys', warning: hot.length > 0, found, does: handlesKeys(subject) };
}

function handlesKeys(subject: Subject): string {
  if (subject.kind === 'model' && isKeyed(subject.model)) {
    return 'a merge takes all events of a key together, in the unit of its bucket; other buckets are merged beside it';
  }
  if (subject.kind === 'model' && subject.model.layer === 'gold') {
    return 'rows are grouped in memory, a group a row, whatever its size; what does not fit is spilled';
  }
  return (
    'work is cut by bytes, never by key, and a join looks each row up among one row a key in memory: ' +
    'a hot key makes no unit larger, and no salt is needed'
  );
}

function skewFinding({ keys }: Diagnosis, subject: Subject): Finding {
  const skewed = keys.filter(({ skew }) => skew !== null && skew >= SKEWED);
  const shown = (of: Diagnosis['keys']): string =>
    of.map(({ column, skew, buckets }) => `${column} ${skew} in ${buckets} buckets`).join(', ');
  const keyed = subject.kind === 'model' && isKeyed(subject.model);
  return {
    topic: 'skew',
    warning: skewed.length > 0,
    found: keys.length === 0 ? 'no key is declared' : shown(skewed.length > 0 ? skewed : keys),
    does: keyed
      ? 'buckets are packed into units by what staging wrote: small ones together, a large one alone'
      : 'nothing is cut into buckets here; a table that is keyed by it would have them packed into units by size',
  };
}

function fileFinding({ partitions, kind }: Diagnosis, subject: Subject): Finding {
  const small = partitions.filter((one) => one.small);
  const least = SMALL_FILE_BYTES / 1_000_000;
  const found =
    small.length === 0
      ? `files have ${least} MB or more on the average`
      : `files are below ${least} MB on the average in ${small.length} of ${partitions.length} ${kind === 'source' ? 'folders' : 'partitions'}`;
  return { topic: 'files', warning: small.length > 0, found, does: handlesFiles(subject) };
}

function handlesFiles(subject: Subject): string {
  if (subject.kind === 'source') {
    const megabytes = Math.round(subject.spec.settings.unitBytes / 1_048_576);
    return `a unit reads small files together, up to ${megabytes} MiB; on S3 each still is a request`;
  }
  const rules = subject.kind === 'model' ? rulesOf(subject.spec) : undefined;
  return rules === undefined
    ? 'strata compact joins small files; nothing does so by itself'
    : `files are compacted after a run that finds ${rules.compactAfter} small ones more, or now by strata compact; one file a partition cannot be joined, only partitioned more coarsely`;
}

function dayFinding({ days }: Diagnosis, subject: Subject): Finding {
  const topic = 'days';
  if (days === null)
    return { topic, warning: false, found: 'no column that is shown has a date or a time', does: 'nothing' };
  const counts = days.volumes.map(({ rows }) => rows).sort((a, b) => a - b);
  const median = counts[Math.floor((counts.length - 1) / 2)] ?? 0;
  const odd = days.volumes.filter(({ rows }) => isUnusual(rows, median));
  const some = odd.slice(0, 3).map(({ day, rows }) => `${day ?? 'no day'} with ${rows}`);
  const more = odd.length > some.length ? `, and ${odd.length - some.length} more` : '';
  return {
    topic,
    warning: odd.length > 0,
    found:
      odd.length === 0
        ? `days have about ${median} rows`
        : `days usually have ${median} rows: not ${some.join(', ')}${more}`,
    does: closesBooks(subject)
      ? 'rows that come later than closeAfter allows are set aside (TOO_LATE); others go to the day of their own'
      : 'late rows go to the day of their own, not to that of their file; closeAfter would set them aside',
  };
}

function isUnusual(rows: number, median: number): boolean {
  const [less, more] = [Math.min(rows, median), Math.max(rows, median)];
  return more >= UNUSUAL.rows && more > less * UNUSUAL.times;
}

function closesBooks(subject: Subject): boolean {
  return subject.kind === 'model' && subject.model.layer === 'silver' && subject.model.closeAfter !== undefined;
}

function schemaFinding({ schema }: Diagnosis, subject: Subject): Finding {
  const does =
    subject.kind === 'source'
      ? DRIFT[subject.source.drift]
      : 'a run follows what the pipeline declares, and stops where that would change rows that are there';
  return { topic: 'schema', warning: false, found: `${schema.length} columns`, does };
}

const DRIFT: Readonly<Record<SourceSpec['drift'], string>> = {
  fail: 'files with columns that the contract lacks are rejected (drift: fail)',
  ignore: 'columns that the contract lacks stay in bronze (drift: ignore)',
  evolve: 'columns that the contract lacks become columns of tables that take all (drift: evolve)',
};

function sampleFinding({ sample, schema }: Diagnosis): Finding {
  const personal = schema.filter((column) => column.personal === true).map(({ name }) => name);
  const does =
    personal.length === 0 ? 'no column is declared personal' : `personal columns are masked: ${personal.join(', ')}`;
  return { topic: 'sample', warning: false, found: `${sample.length} rows`, does };
}

function nullFinding({ schema }: Diagnosis, subject: Subject): Finding {
  const some = schema.filter(({ nulls }) => nulls > 0);
  const found = some.map(({ name, null_percent }) => `${name} ${null_percent} %`).join(', ');
  const does =
    subject.kind === 'source'
      ? 'rows without a value in a required column are quarantined (NULL_VALUE_ERROR), and not counted here; others keep NULL'
      : 'NULL stays; an expectation such as amount IS NOT NULL warns of it, drops the row or fails the run';
  return { topic: 'nulls', warning: some.length > 0, found: found === '' ? 'no column has NULL' : found, does };
}
