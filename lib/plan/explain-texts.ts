import { type PublishedText, publishedText } from '../core/implementations.ts';
import type { GoldModel } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';

/** Which of several texts makes a table. */
export type ExplainedText = PublishedText & { readonly table: string };

type Texted = Pick<GoldModel, 'name' | 'implementations'>;

export function explainTexts({
  name: pipeline,
  models,
}: {
  readonly name: string;
  readonly models: readonly (Pick<GoldModel, 'name'> | Texted)[];
}): readonly ExplainedText[] {
  return models.flatMap((model) => {
    const text = 'implementations' in model ? publishedText(model) : undefined;
    return text === undefined ? [] : [{ table: fullName({ pipeline, layer: 'gold', name: model.name }), ...text }];
  });
}
