import { readFileSync } from 'node:fs';

/**
 * A fenced block of a page. What becomes of it stands after its language:
 *
 * - `file=PATH`: it is that file of the page's project.
 * - `sh`: it is run there, by bash; `text` right after it is what it prints, all of it, or with `part` some of its lines in order.
 * - `text of="COMMAND"`: what the command prints there.
 * - `ts`: it is type-checked, as a module; with `fragment` as properties of a pipeline.
 * - `sh repository`: scripts of this repository, which .ci/run runs; they are checked to be there.
 * - `sh aws`: needs an account; its arguments are checked by the command's own parser.
 * - `by=SCRIPT`: what the npm script of that name extracts and runs.
 * - `text figure`: nothing that a machine could run.
 */
export type Block = {
  readonly page: string;
  /** Of the fence. */
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly text: string;
  /** Nothing but a blank line stands between it and the block before. */
  readonly follows: boolean;
};

/** The fenced blocks of a page, in their order. */
export function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8').split('\n');
  const blocks: Block[] = [];
  let last = -1;
  for (let at = 0; at < lines.length; at += 1) {
    const [, info] = /^```(.*)$/.exec(lines[at] ?? '') ?? [];
    if (info === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: a fence that does not end`);
    const text = `${lines.slice(at + 1, end).join('\n')}\n`;
    const follows = last >= 0 && lines.slice(last + 1, at).every((line) => line === '');
    blocks.push({ page, line: at + 1, ...parseInfo(info), text, follows });
    last = end;
    at = end;
  }
  return blocks;
}

function parseInfo(info: string): Pick<Block, 'language' | 'words' | 'options'> {
  const parts = [...info.matchAll(/(\w+)(?:=(?:"([^"]*)"|(\S+)))?/g)];
  const language = parts[0]?.[0] ?? '';
  const rest = parts.slice(1);
  return {
    language,
    words: rest.flatMap(([, name = '', quoted, bare]) => ((quoted ?? bare) === undefined ? [name] : [])),
    options: Object.fromEntries(
      rest.flatMap(([, name = '', quoted, bare]) => {
        const value = quoted ?? bare;
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  };
}

/** Times, ids of runs and of snapshots are others each time. */
export function withoutChance(text: string): string {
  return text
    .replaceAll(/\d{8}T\d{6}-[0-9a-f]{12}/g, 'RUN')
    .replaceAll(/\b\d{15,19}\b/g, 'SNAPSHOT')
    .replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, 'TIME')
    .replaceAll(/[ \t]+$/gm, '');
}

/** The lines of a part that do not stand in the whole in this order: none when it is a part of it. */
export function missingLines(part: string, whole: string): readonly string[] {
  const lines = whole.split('\n');
  let at = 0;
  return part.split('\n').filter((line) => {
    const found = lines.indexOf(line, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}
