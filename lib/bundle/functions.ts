/** What is bundled: `lambdas/<name>.ts`. Workers share one folder, and the code and DuckDB that they have in common. */
export const WORKERS = ['open', 'plan-stage', 'stage', 'plan-merge', 'merge', 'audit', 'commit', 'finish'] as const;

/** Functions without DuckDB, each in a folder of its own. */
export const LIGHT = ['starter', 'fail', 'notify', 'run-failed'] as const;

export const ARCHITECTURES = ['arm64', 'x64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];
