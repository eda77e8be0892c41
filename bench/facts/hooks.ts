import { registerHooks } from 'node:module';

/** Loaded into both sides of the measurement; with STRATA_BENCH_FACTS=off a run finds no facts to keep. */
const INSTEAD = new URL('no-facts.ts', import.meta.url).href;
const off = process.env['STRATA_BENCH_FACTS'] === 'off';

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    // What takes their place hands on what else they have.
    return off && context.parentURL !== INSTEAD && /\/lib\/lake\/facts\/(keep|model)-facts\.ts$/.test(found.url)
      ? { ...found, url: INSTEAD }
      : found;
  },
});
