import { z } from 'zod';
import type { Session } from '../ports.ts';
import { CRYPTO_START, renderMarketsJson } from '../sql/generate-crypto.ts';
import { fileIn, type GeneratedFile, type PlannedFile, parseOptions, seedOption, whole, writeFiles } from './sample.ts';

const DAY_MINUTES = 24 * 60;
const MINUTES = { m: 1, h: 60, d: DAY_MINUTES };

const interval = z
  .string()
  .regex(/^[1-9]\d{0,3}[mhd]$/, "a span such as '15m', '1h' or '1d'")
  .transform((text) => Number.parseInt(text, 10) * MINUTES[text.at(-1) as keyof typeof MINUTES])
  .refine((minutes) => DAY_MINUTES % minutes === 0, 'a span of which a day has a whole number');

const CryptoOptionsSchema = z.object({
  out: z.string().min(1),
  coins: whole(1, 9_999).default(200),
  days: whole(1, 3_650).default(30),
  interval: interval.default(60),
  seed: seedOption(),
});

/** `interval` in minutes. */
export type CryptoOptions = Readonly<z.infer<typeof CryptoOptionsSchema>>;

/** 200 coins, 30 days, a snapshot each hour and seed 42, where left out. Throws InvalidInput with every problem at once. */
export function parseCryptoOptions(input: unknown): CryptoOptions {
  return parseOptions('crypto', CryptoOptionsSchema, input);
}

/**
 * Writes what a markets API would have answered: `<out>/markets/markets-<time>.json`, a JSON array of all coins for each
 * snapshot, and `<out>/closes/closes-<day>.json`, the last one of each day again. Equal options give equal bytes.
 * Throws InvalidInput when a folder holds files of another sample.
 */
export async function generateCrypto(options: CryptoOptions, session: Session): Promise<readonly GeneratedFile[]> {
  return writeFiles(planFiles(options), /^(markets|closes)-.*\.json$/, session);
}

function planFiles({ out, coins, days, interval, seed }: CryptoOptions): readonly PlannedFile[] {
  const perDay = DAY_MINUTES / interval;
  const file = (table: string, snapshot: number, name: (at: string) => string): PlannedFile => {
    const at = new Date(CRYPTO_START + snapshot * interval * 60_000).toISOString();
    const path = fileIn(out, table, `${table}-${name(at)}.json`);
    return { table, path, rows: coins, statement: renderMarketsJson({ path, seed, coins, at }) };
  };
  return [
    ...Array.from({ length: days * perDay }, (_, n) => file('markets', n, (at) => at.slice(0, 16).replace(':', ''))),
    ...Array.from({ length: days }, (_, day) => file('closes', (day + 1) * perDay - 1, (at) => at.slice(0, 10))),
  ];
}
