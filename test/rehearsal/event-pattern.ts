/**
 * Whether an event matches a rule's pattern: every field of the pattern has one value in the event, either equal or
 * passing one of the comparisons that Strata's rules use. Throws an Error for a comparison that is not known here, so
 * that a rule is never taken to match by mistake.
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  if (!isFields(pattern)) throw new Error(`not an event pattern: ${JSON.stringify(pattern)}`);
  return Object.entries(pattern).every(([name, wanted]) => {
    if (name === '$or') return (wanted as readonly unknown[]).some((one) => matchesPattern(one, event));
    const found = isFields(event) ? event[name] : undefined;
    if (!Array.isArray(wanted)) return matchesPattern(wanted, found);
    const values = Array.isArray(found) ? found : [found];
    return wanted.some((one) => values.some((value) => matchesValue(one, value)));
  });
}

function matchesValue(wanted: unknown, value: unknown): boolean {
  if (!isFields(wanted)) return wanted === value;
  const [operator, ...others] = Object.entries(wanted);
  if (operator === undefined || others.length > 0) throw new Error(`not a comparison: ${JSON.stringify(wanted)}`);
  const [name, operand] = operator;
  switch (name) {
    case 'prefix':
      return typeof value === 'string' && typeof operand === 'string' && value.startsWith(operand);
    case 'suffix':
      return typeof value === 'string' && typeof operand === 'string' && value.endsWith(operand);
    case 'exists':
      return (value !== undefined) === operand;
    case 'anything-but': {
      const banned: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
      return value !== undefined && !banned.includes(value);
    }
    default:
      throw new Error(`no way to compare by ${name}: ${JSON.stringify(wanted)}`);
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
