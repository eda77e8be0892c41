import type { Branch } from '../../core/schedule/branch.ts';
import { type ModelSpec, modelId } from '../../core/spec.ts';

type Branched = {
  readonly schedules?: readonly Branch[];
  readonly models: readonly Pick<ModelSpec, 'id' | 'branch' | 'reads'>[];
};

/**
 * The branches of a pipeline in the order in which those that are due together run: each after those whose tables it reads. In a circle
 * they come as they were declared.
 */
export function orderBranches({ schedules = [], models }: Branched): readonly Branch[] {
  const branchOf = new Map(models.map(({ id, branch }) => [id, branch]));
  const needs = (name: string): readonly (string | undefined)[] =>
    models
      .filter(({ branch }) => branch === name)
      .flatMap(({ reads }) => reads.map((read) => branchOf.get(modelId(read))));
  const left = [...schedules];
  const ordered: Branch[] = [];
  while (left.length > 0) {
    const free = left.findIndex(
      ({ name }) => !left.some((other) => other.name !== name && needs(name).includes(other.name)),
    );
    ordered.push(...left.splice(Math.max(0, free), 1));
  }
  return ordered;
}
