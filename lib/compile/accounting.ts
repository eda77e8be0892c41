import { oneOf } from '../core/suggest.ts';
import type { ModeDefinition } from '../define/modes.ts';
import type { ModelDraft, PipelineDraft } from './draft.ts';
import { isKeyed } from './keyed-checks.ts';
import { type Notes, placeIn, showValue } from './notes.ts';

/**
 * Notes what would keep a run's accounts (read = accepted + quarantined + condemned + duplicates, per source) from
 * having one answer: models of one source that count duplicates or dropped rows differently, sources that go nowhere.
 */
export function checkAccounting(pipeline: PipelineDraft, notes: Notes): void {
  const names = pipeline.declared.sources;
  const silver = pipeline.models.filter((model) => model.ref.layer === 'silver');
  for (const model of silver) {
    const known = model.from === '' || model.from === null || names.includes(model.from);
    if (!known) notes.add(placeIn(model.place, 'from'), showValue(model.from), oneOf(model.from ?? '', names));
  }
  for (const source of pipeline.sources) {
    const models = silver.filter((model) => model.from === source.spec.name);
    if (models.length === 0 && silver.every((model) => names.includes(model.from ?? ''))) {
      notes.add(
        source.place,
        'no silver table that reads it',
        `a silver table with from: ${showValue(source.spec.name)}`,
      );
    }
    checkDedupe(models, notes);
    if (models.length > 1) checkDrops(models, source.spec.name, notes);
  }
}

function checkDedupe(models: readonly ModelDraft[], notes: Notes): void {
  const [first, ...others] = models.filter((model) => model.modeSound);
  for (const model of others) {
    if (first === undefined) continue;
    const [mine, its] = [showDedupe(model.mode), showDedupe(first.mode)];
    const sameEvents = !isKeyed(model.mode) || model.sqlFile === first.sqlFile;
    if (mine === its && sameEvents) continue;
    const got = sameEvents
      ? `${mine}, but ${first.id} of the same source has ${its}`
      : `${mine} of rows that other SQL makes than that of ${first.id}`;
    notes.add(
      placeIn(model.place, 'mode'),
      got,
      'equal dedupe in all silver tables of a source, so that its duplicates are counted once',
    );
  }
}

function checkDrops(models: readonly ModelDraft[], source: string, notes: Notes): void {
  for (const model of models) {
    for (const expectation of model.expect) {
      if (expectation.policy !== 'drop') continue;
      const place = placeIn(placeIn(model.place, 'expect'), expectation.name);
      const others = models.filter((other) => other !== model).map((other) => other.id);
      notes.add(
        place,
        `policy drop, while ${others.join(', ')} also read${others.length === 1 ? 's' : ''} ${source}`,
        `a check in the contract of ${source}, which drops the row for all of them, or policy 'warn' or 'fail'`,
      );
    }
  }
}

/** How a mode counts duplicates: models of one source that show alike count alike. */
function showDedupe(mode: ModeDefinition): string {
  // A keyed table drops an event that its log has; which rows are events depends on key and sequence.
  if (isKeyed(mode)) return `dedupe of equal events by key ${mode.key.join(', ')} and sequence ${mode.sequence}`;
  const dedupe = mode.kind === 'append' ? mode.dedupe : null;
  if (dedupe === null) return 'no dedupe';
  if (dedupe.by === 'row') return "dedupe 'row'";
  const condemned = mode.kind === 'append' && mode.onDuplicate === 'condemn' ? ", onDuplicate 'condemn'" : '';
  return `dedupe by ${dedupe.columns.join(', ')}${condemned}`;
}
