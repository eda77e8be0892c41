import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { csvFile, draw, jsonLines, pick } from './generate.ts';
import { quoteText } from './quote.ts';

/** Statements that write the hr sample: employees, their history, leave and messages, with the faults that such files have. */

export type HrWords = {
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly designations: readonly string[];
  /** Month and day, not padded, and what is celebrated. */
  readonly holidays: readonly (readonly [monthAndDay: string, reason: string])[];
};

type Drawn = { readonly path: string; readonly seed: number; readonly employees: number };

const FIRST_ID = 1_000_000_000;
/** Ids are spread up to here, most of them beyond 32 bits. */
const LAST_ID = 10_000_000_000;
/** Of so many ids at the front a second row has another name, a lower quota. */
export const HR_REPEATED = { people: 3, quotas: 6 };
const MARKED = 481;
const MARKED_AGAIN = 19;
const VOCABULARY = 5_000;
export const HR_PARTITIONS = 4;
/** One row in so many has the fault. */
const ONE_IN = { cancelled: 100, appliedAgain: 100, lowerCase: 1_000, unknown: 1_000, noMessage: 1_000, toSelf: 100 };

/** Writes employee_data(name, age, emp_id); the first ids come twice, with another name and age. */
export function renderEmployees(file: Drawn, words: HrWords): Statement {
  const { seed, employees } = file;
  const repeated = Math.min(HR_REPEATED.people, employees);
  return csvFile(
    'generate employees',
    file.path,
    sql`WITH versions AS (
  SELECT i, 1 AS version FROM range(1, ${employees + 1}) AS ids(i)
  UNION ALL
  SELECT i, 2 AS version FROM range(1, ${repeated + 1}) AS ids(i)
),
drawn AS (
  SELECT i, version, ${draw(seed, 'employees.person', sql`i || '/' || version`)} AS person FROM versions
)
SELECT
  ${pick(words.firstNames, sql`person % ${words.firstNames.length}`)} || ' '
    || ${pick(words.lastNames, sql`person // 1000 % ${words.lastNames.length}`)} AS name,
  18 + person // 1000000 % 50 AS age,
  ${idOf(file)} AS emp_id
FROM drawn
ORDER BY version, i`,
  );
}

/** Writes employee_timeframe(emp_id, designation, start_date, end_date, salary), in seconds: one to three records, every tenth has left. */
export function renderTimeframes(file: Drawn, words: HrWords): Statement {
  const { seed, employees } = file;
  return csvFile(
    'generate timeframes',
    file.path,
    sql`WITH drawn AS (
  SELECT i, ${draw(seed, 'timeframes.history', sql`i`)} AS history FROM range(1, ${employees + 1}) AS ids(i)
),
records AS (
  SELECT i, history, unnest(range(0, 1 + CAST(history % 3 AS BIGINT))) AS nth, 1 + history % 3 AS records FROM drawn
),
dated AS (
  SELECT *, epoch(DATE '2012-01-01') + 86400 * CAST(history // 3 % 1000 + nth * (200 + history // 3000 % 800) AS BIGINT) AS begun
  FROM records
)
SELECT ${idOf(file)} AS emp_id,
  ${pick(words.designations, sql`(history // 7 + nth) % ${words.designations.length}`)} AS designation,
  CAST(begun AS BIGINT) AS start_date,
  CASE WHEN nth + 1 = records AND history // 11 % 10 = 0 THEN CAST(begun AS BIGINT) + 86400 * 365 END AS end_date,
  40000 + CAST(history // 13 % 40000 AS BIGINT) + 2000 * nth AS salary
FROM dated
ORDER BY i, nth`,
  );
}

/** Writes employee_leave_quota(emp_id, leave_quota 20 to 30, year); the first ids come twice, with a lower quota. */
export function renderQuotas(file: Drawn & { readonly year: number }): Statement {
  const { seed, employees, year } = file;
  const repeated = Math.min(HR_REPEATED.quotas, employees);
  return csvFile(
    'generate quotas',
    file.path,
    sql`WITH drawn AS (
  SELECT i, 20 + ${draw(seed, `quotas.${year}`, sql`i`)} % 11 AS quota FROM range(1, ${employees + 1}) AS ids(i)
)
SELECT ${idOf(file)} AS emp_id, quota AS leave_quota, ${year} AS year FROM drawn
UNION ALL
SELECT ${idOf(file)}, quota - 1, ${year} FROM drawn WHERE i <= ${repeated}
ORDER BY emp_id, leave_quota`,
  );
}

/** Writes employee_leave_calendar(reason, date): dates are not padded. */
export function renderCalendar(path: string, year: number, words: HrWords): Statement {
  const rows = words.holidays.map(([day, reason]) => sql`(${quoteText(reason)}, ${quoteText(`${year}-${day}`)})`);
  return csvFile('generate calendar', path, sql`SELECT * FROM (VALUES ${join(rows)}) AS days(reason, date)`);
}

/**
 * Writes employee_leave_data(emp_id, date, status) of a month: about a day for each employee, four or five for every fiftieth. Some are
 * cancelled, some of those applied for again; a few have a status in lower case or an employee whom nobody knows.
 */
export function renderLeave(file: Drawn & { readonly month: string }): Statement {
  const { seed, employees, month } = file;
  const event = draw(seed, `leave.${month}`, sql`i || '/' || nth`);
  return csvFile(
    'generate leave',
    file.path,
    sql`WITH asked AS (
  SELECT i, nth, ${event} AS event FROM range(1, ${employees + 1}) AS ids(i), range(0, 5) AS days(nth)
),
days AS (
  SELECT i, nth, event, CAST(${quoteText(`${month}-01`)} AS DATE) + CAST(event % 28 AS INTEGER) AS date
  FROM asked
  WHERE CASE WHEN i % 50 = 0 THEN nth < 4 OR event // 28 % 2 = 0 ELSE nth = 0 END
),
histories AS (
  SELECT *, CASE WHEN event // 100 % ${ONE_IN.appliedAgain} = 0 THEN ['ACTIVE', 'CANCELLED', 'ACTIVE']
    WHEN event // 10000 % ${ONE_IN.cancelled} = 0 THEN ['ACTIVE', 'CANCELLED']
    WHEN event // 1000000 % ${ONE_IN.lowerCase} = 0 THEN ['active']
    ELSE ['ACTIVE'] END AS statuses
  FROM days
),
events AS (
  SELECT *, unnest(statuses) AS status, unnest(range(1, len(statuses) + 1)) AS step FROM histories
)
SELECT CASE WHEN event // 1000000000 % ${ONE_IN.unknown} = 0 THEN 7 ELSE ${idOf(file)} END AS emp_id, date, status
FROM events
ORDER BY i, nth, step`,
  );
}

/** Writes one object: the vocabulary, 5,000 words of ten characters. */
export function renderVocabulary(path: string, seed: number): Statement {
  return jsonLines(
    'generate vocabulary',
    path,
    sql`SELECT list(${word(seed, sql`k`)} ORDER BY k) AS words FROM range(1, ${VOCABULARY + 1}) AS words(k)`,
  );
}

/** Writes one object: the first words of the vocabulary, and some of them again in capitals and with blanks around. */
export function renderMarkedWords(path: string, seed: number): Statement {
  return jsonLines(
    'generate marked words',
    path,
    sql`SELECT list(CASE WHEN k <= ${MARKED} THEN ${word(seed, sql`k`)}
  ELSE ' ' || upper(${word(seed, sql`k - ${MARKED}`)}) || ' ' END ORDER BY k) AS words
FROM range(1, ${MARKED + MARKED_AGAIN + 1}) AS words(k)`,
  );
}

export type MessagesFile = Drawn & {
  readonly partition: number;
  /** Offsets in the partition, both ends inclusive. */
  readonly first: number;
  readonly last: number;
  /** Messages over all partitions. */
  readonly total: number;
  /** When the first may be sent, and days in which they all are. */
  readonly start: string;
  readonly days: number;
};

/**
 * Writes records of a topic: {topic, partition, offset, timestamp_ms, key, headers, value}, the value a text of {sender, receiver,
 * message}. About twenty messages a month and sender, of which up to a third have a marked word. A few values are null or no JSON.
 */
export function renderMessages(file: MessagesFile): Statement {
  const { seed, total, employees, days } = file;
  const senders = Math.max(1, Math.min(employees, Math.floor(total / ((20 * days) / 30))));
  const spread = Math.floor((days * 86_400_000) / total);
  return jsonLines(
    'generate messages',
    file.path,
    sql`WITH drawn AS (
  SELECT place, place * ${HR_PARTITIONS} + ${file.partition} AS j,
    ${draw(seed, 'messages.who', sql`place || '/' || ${file.partition}`)} AS who,
    ${draw(seed, 'messages.what', sql`place || '/' || ${file.partition}`)} AS what
  FROM range(${file.first}, ${file.last + 1}) AS offsets(place)
),
people AS (
  SELECT place, j, who, what,
    1 + who % ${senders} AS sender,
    CASE WHEN who // 10000000 % ${ONE_IN.toSelf} = 0 THEN 1 + who % ${senders} ELSE 1 + what % ${employees} END AS receiver
  FROM drawn
),
texts AS (
  SELECT *,
    -- each sender has a share of his own, up to a third
    ${word(seed, sql`${MARKED + 1} + what % ${VOCABULARY - MARKED}`)} || ' '
      || CASE WHEN what // 5000 % 100 < sender * 7 % 34 THEN upper(${word(seed, sql`1 + what // 500000 % ${MARKED}`)}) || ', ' ELSE '' END
      || ${word(seed, sql`${MARKED + 1} + what // 1000000 % ${VOCABULARY - MARKED}`)} AS message
  FROM people
)
SELECT 'employee_messages' AS topic, ${file.partition} AS partition, place AS "offset",
  epoch_ms(CAST(${quoteText(file.start)} AS TIMESTAMP)) + CAST(j * ${spread} + who % ${Math.max(1, spread)} AS BIGINT) AS timestamp_ms,
  CAST(NULL AS VARCHAR) AS key, MAP {} AS headers,
  CASE WHEN who // 100 % ${ONE_IN.noMessage} = 0 THEN NULL
    WHEN who // 100000 % ${ONE_IN.noMessage} = 0 THEN 'no message'
    ELSE CAST(json_object(
      'sender', CASE WHEN who // 1000 % ${ONE_IN.unknown} = 0 THEN '7' ELSE CAST(${idOf(file, sql`sender`)} AS VARCHAR) END,
      'receiver', CAST(${idOf(file, sql`receiver`)} AS VARCHAR), 'message', message) AS VARCHAR) END AS value
FROM texts
ORDER BY place`,
  );
}

/** The id of an employee by his number, 1 to `employees`. */
function idOf({ seed, employees }: Drawn, number: Sql = sql`i`): Sql {
  const stride = Math.floor((LAST_ID - FIRST_ID) / employees);
  return sql`${FIRST_ID} + CAST(${number} AS BIGINT) * ${stride} - CAST(${draw(seed, 'employees.id', number)} % ${stride} AS BIGINT)`;
}

/** A word by its number, from 1. */
function word(seed: number, number: Sql): Sql {
  return sql`substr(md5(${quoteText(`${seed}/vocabulary/`)} || ${number}), 1, 10)`;
}
