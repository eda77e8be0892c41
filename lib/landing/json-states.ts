/**
 * JSON (RFC 8259) as a table: the next state by `state << 8 | byte`. States below `ACTIONS` follow from the byte alone, and
 * the byte is copied; the others are answers that need to know what is open.
 */
export const STATES = [
  'start', // before the array
  'top first', // after the array's [
  'top value', // after a comma between elements
  'top after', // after an element
  'first', // after a [ inside an element
  'value',
  'after',
  'first key', // after {
  'key',
  'colon',
  'object value',
  'object after',
  'string',
  ...['escape', 'hex 4', 'hex 3', 'hex 2', 'hex 1'],
  'key string',
  ...['key escape', 'key hex 4', 'key hex 3', 'key hex 2', 'key hex 1'],
  ...['t', 'tr', 'tru', 'f', 'fa', 'fal', 'fals', 'n', 'nu', 'nul'],
  ...['minus', 'zero', 'integer', 'point', 'fraction', 'e', 'sign', 'exponent'],
  'end', // after the array
] as const;
export type StateName = (typeof STATES)[number];

export const ACTIONS = 64;
export const REFUSED = 64;
export const OPEN_ARRAY = 65;
export const OPEN_OBJECT = 66;
export const CLOSE = 67;
/** The byte is the last of a string or a word. */
export const VALUE_END = 68;
/** The byte follows a number. */
export const NUMBER_END = 69;
/** A comma between elements. */
export const NEXT_ELEMENT = 70;
/** A blank between elements; a line break inside one. */
export const BLANK = 71;
export const INNER_BREAK = 72;

/** What a state waits for, for people. */
export const EXPECTED: Readonly<Partial<Record<StateName, string>>> = {
  start: 'an array',
  'top first': 'a value or ]',
  'top value': 'a value',
  'top after': 'a comma or ]',
  first: 'a value or ]',
  value: 'a value',
  after: 'a comma or ]',
  'first key': 'a key in double quotes or }',
  key: 'a key in double quotes',
  colon: 'a colon',
  'object value': 'a value',
  'object after': 'a comma or }',
  string: 'a string without control characters, and its closing quote',
  'key string': 'a key without control characters, and its closing quote',
  escape: 'one of " \\ / b f n r t u after a backslash',
  'key escape': 'one of " \\ / b f n r t u after a backslash',
  end: 'nothing after the array',
};

const codeOf = (name: StateName): number => STATES.indexOf(name);
const bytesOf = (text: string): readonly number[] => [...text].map((c) => c.charCodeAt(0));
const DIGITS = '0123456789';

export const START = codeOf('start');
export const END = codeOf('end');
export const AFTER_OPENING = { array: codeOf('first'), object: codeOf('first key'), top: codeOf('top first') };
export const AFTER_VALUE = { array: codeOf('after'), object: codeOf('object after'), top: codeOf('top after') };
export const NEXT_VALUE = codeOf('top value');

export function createJsonTable(): Uint8Array {
  const table = new Uint8Array(STATES.length << 8).fill(REFUSED);
  const put = (state: StateName, bytes: string, next: StateName | number): void => {
    const code = typeof next === 'number' ? next : codeOf(next);
    for (const byte of bytesOf(bytes)) table[(codeOf(state) << 8) | byte] = code;
  };
  putStructure(put);
  putStrings(put, table);
  putWords(put);
  putNumbers(put);
  return table;
}

type Put = (state: StateName, bytes: string, next: StateName | number) => void;

function putStructure(put: Put): void {
  for (const state of ['start', 'top first', 'top value', 'top after', 'end'] as const) put(state, ' \t\r\n', BLANK);
  const inside = ['first', 'value', 'after', 'first key', 'key', 'colon', 'object value', 'object after'] as const;
  for (const state of inside) {
    put(state, ' \t', state);
    put(state, '\r\n', INNER_BREAK);
  }
  put('start', '[', OPEN_ARRAY);
  for (const state of ['top first', 'top value', 'first', 'value', 'object value'] as const) {
    put(state, '[', OPEN_ARRAY);
    put(state, '{', OPEN_OBJECT);
    put(state, '"', 'string');
    for (const word of ['t', 'f', 'n'] as const) put(state, word, word);
    put(state, '-', 'minus');
    put(state, '0', 'zero');
    put(state, '123456789', 'integer');
  }
  for (const state of ['top first', 'top after', 'first', 'after'] as const) put(state, ']', CLOSE);
  for (const state of ['first key', 'object after'] as const) put(state, '}', CLOSE);
  for (const state of ['first key', 'key'] as const) put(state, '"', 'key string');
  put('colon', ':', 'object value');
  put('top after', ',', NEXT_ELEMENT);
  put('after', ',', 'value');
  put('object after', ',', 'key');
}

function putStrings(put: Put, table: Uint8Array): void {
  for (const [string, key] of [
    ['string', ''],
    ['key string', 'key '],
  ] as const) {
    const code = codeOf(string);
    table.fill(code, (code << 8) | 0x20, (code + 1) << 8);
    put(string, '\\', `${key}escape`);
    put(`${key}escape`, '"\\/bfnrt', string);
    put(`${key}escape`, 'u', `${key}hex 4`);
    const hex = `${DIGITS}abcdefABCDEF`;
    put(`${key}hex 4`, hex, `${key}hex 3`);
    put(`${key}hex 3`, hex, `${key}hex 2`);
    put(`${key}hex 2`, hex, `${key}hex 1`);
    put(`${key}hex 1`, hex, string);
  }
  put('string', '"', VALUE_END);
  put('key string', '"', 'colon');
}

function putWords(put: Put): void {
  for (const steps of [
    ['t', 'tr', 'tru', 'true'],
    ['f', 'fa', 'fal', 'fals', 'false'],
    ['n', 'nu', 'nul', 'null'],
  ]) {
    steps.slice(1).forEach((step, i) => {
      const last = i === steps.length - 2;
      put(steps[i] as StateName, step.slice(-1), last ? VALUE_END : (step as StateName));
    });
  }
}

function putNumbers(put: Put): void {
  put('minus', '0', 'zero');
  put('minus', '123456789', 'integer');
  for (const state of ['zero', 'integer', 'fraction', 'exponent'] as const) put(state, ' \t\r\n,]}', NUMBER_END);
  for (const state of ['zero', 'integer'] as const) put(state, '.', 'point');
  for (const state of ['zero', 'integer', 'fraction'] as const) put(state, 'eE', 'e');
  put('integer', DIGITS, 'integer');
  for (const state of ['point', 'fraction'] as const) put(state, DIGITS, 'fraction');
  put('e', '+-', 'sign');
  for (const state of ['e', 'sign', 'exponent'] as const) put(state, DIGITS, 'exponent');
}
