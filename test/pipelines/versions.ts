/** What an SCD2 merge makes of a batch whose key and `updated_at` tell its rows apart: each version ends where the next begins. */
export function versionsOf(source: string, key: string): string {
  return `SELECT *, updated_at AS valid_from, lead(updated_at) OVER (PARTITION BY ${key} ORDER BY updated_at) AS valid_to,
    valid_to IS NULL AS is_current FROM batch.${source}`;
}
