import type { EngineName, Implementation } from './implementation.ts';
import { type GoldModel, type ModelSpec, modelId, type PipelineSpec, type TableRef } from './spec.ts';

/** The model as one of its texts makes it; as it is where it has no text of the name. */
export function implementedBy(model: GoldModel, name: string): GoldModel {
  const text = textNamed(model, name);
  if (text === undefined || model.implementations === undefined) return model;
  if (model.implementations.use === name && model.sql === text.sql) return model;
  const { sql, sqlFile, reads, readsLogs, refresh, origins, dueBy, vars } = text;
  const { dueBy: _due, vars: _vars, origins: _origins, ...rest } = model;
  return {
    ...rest,
    sql,
    sqlFile,
    reads,
    readsLogs,
    refresh,
    ...(origins === undefined ? {} : { origins }),
    ...(dueBy === undefined ? {} : { dueBy }),
    ...(vars === undefined ? {} : { vars }),
    implementations: { ...model.implementations, use: name },
  };
}

export function textNamed({ implementations }: GoldModel, name: string): Implementation | undefined {
  return implementations?.texts.find((text) => text.name === name);
}

/** The engine that computes the model; `undefined`: DuckDB. */
export function engineOf(model: GoldModel): EngineName | undefined {
  return model.implementations === undefined ? undefined : textNamed(model, model.implementations.use)?.engine;
}

/** Whether an engine computes the model, or one of its texts beside it where these are compared. */
export function takesEngine(model: GoldModel, compared: boolean): boolean {
  const texts = model.implementations?.texts ?? [];
  return engineOf(model) !== undefined || (compared && texts.some(({ engine }) => engine !== undefined));
}

/** What any of a model's texts reads: what has to be there before the model is computed, whichever of them does it. */
export function readByAny(model: ModelSpec): readonly TableRef[] {
  const texts = model.layer === 'gold' ? (model.implementations?.texts ?? []) : [];
  const all = [...model.reads, ...texts.flatMap(({ reads }) => reads)];
  return [...new Map(all.map((ref) => [modelId(ref), ref])).values()];
}

/** The engines in whose words gold models of a pipeline have texts, be they used or not. */
export function enginesOf({ models }: Pick<PipelineSpec, 'models'>): readonly EngineName[] {
  const texts = models.flatMap((model) => (model.layer === 'gold' ? (model.implementations?.texts ?? []) : []));
  return [...new Set(texts.flatMap(({ engine }) => engine ?? []))].sort();
}

/** Which of a model's texts makes its table, which others it has, and why it is that one. */
export type PublishedText = { readonly use: string; readonly others: readonly string[]; readonly why: string };

/** Undefined where a model has one text alone. */
export function publishedText({ implementations }: Pick<GoldModel, 'implementations'>): PublishedText | undefined {
  if (implementations === undefined) return undefined;
  const { use, texts, chosen } = implementations;
  const others = texts.map(({ name }) => name).filter((name) => name !== use);
  if (chosen === undefined) return { use, others, why: 'as the pipeline says' };
  const { by, at, declared, reason } = chosen;
  const place = declared === use ? '' : `, in place of ${declared}`;
  return { use, others, why: `chosen by ${by} at ${at}${place}: ${reason}` };
}
