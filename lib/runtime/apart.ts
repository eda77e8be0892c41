import type { PipelineSpec } from '../core/spec.ts';

/** A pipeline that is run apart from its lake, to try something out: nobody is told of it, and nothing is served of it. */
export function apart({ alerts: _alerts, openlineage: _told, serve: _serve, ...spec }: PipelineSpec): PipelineSpec {
  return spec;
}
