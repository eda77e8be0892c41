/** What `strata build` makes and the CDK takes: `specs/<pipeline>.json`, and a folder for each architecture. */

/** In a project's folder, unless another is named. */
export const BUNDLES_FOLDER = 'dist/lambdas';

export const ARCHITECTURES = ['arm64', 'x64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** In a worker's folder when DuckDB's native code could not be fetched; such a bundle must not be deployed. */
export const BINDING_MISSING = 'BINDING-MISSING';
