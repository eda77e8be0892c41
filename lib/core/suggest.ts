const MOST_LISTED = 24;

/** The candidate nearest to a word by edit distance, if one is near enough to be a slip of the pen. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    // Between equally far candidates, the one that begins and ends more like the word.
    const distance = edits - sharedEnds(word, candidate) / 1000;
    if (edits <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** `one of a, b, c; did you mean "b"?`, for the `expected` part of a problem. */
export function oneOf(word: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return 'nothing here: there are none';
  const listed = candidates.slice(0, MOST_LISTED).join(', ');
  const more = candidates.length > MOST_LISTED ? `, ... (${candidates.length} in all)` : '';
  return `${candidates.length > 1 ? 'one of ' : ''}${listed}${more}${didYouMean(word, candidates)}`;
}

/** `; did you mean "b"?`, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined || near === word ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

function sharedEnds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let start = 0;
  while (start < length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return start + end;
}

/** Levenshtein's distance: insertions, deletions and replacements of one character. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
