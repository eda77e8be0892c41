export type Layer = 'silver' | 'gold';

/**
 * A table that a model reads: `silver.customers` -> { layer: 'silver', name: 'customers' }; with its pipeline where that is
 * another one: `retail.gold.sales`.
 */
export type TableRef = { readonly layer: Layer; readonly name: string; readonly pipeline?: string };

/** The name by which SQL and a run know a table: `silver.customers`, `retail.gold.sales`. */
export function modelId({ pipeline, layer, name }: TableRef): string {
  return pipeline === undefined ? `${layer}.${name}` : `${pipeline}.${layer}.${name}`;
}
