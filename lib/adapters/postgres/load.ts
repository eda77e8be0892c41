import { InvalidInput } from '../../core/errors.ts';

/** What `import` throws for a package that is not there. */
const MISSING = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** The packages, which only those install who need them. Throws InvalidInput that says how. */
export async function clients() {
  try {
    const [{ default: pg }, { default: copy }] = await Promise.all([import('pg'), import('pg-copy-streams')]);
    return { pg, copy };
  } catch (cause) {
    throw explainMissing(cause);
  }
}

/** What became of loading them, in words that say what to do. */
export function explainMissing(cause: unknown): unknown {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !MISSING.includes(code)) return cause;
  return new InvalidInput(
    'the packages pg and pg-copy-streams are not there, which PostgreSQL needs: npm install pg pg-copy-streams',
    [],
    { cause },
  );
}
