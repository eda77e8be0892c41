import { oneOf } from '../core/suggest.ts';
import type { PipelineDraft } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';

/** Notes what would keep rows from having a fate: sources that go nowhere, and tables of no source. */
export function checkSourceUse(pipeline: PipelineDraft, notes: Notes): void {
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
  }
}
