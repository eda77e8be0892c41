import {
  append,
  cron,
  csv,
  definePipeline,
  full,
  identity,
  json,
  kafka,
  type ServeDefinition,
  scd2,
  secret,
  unique,
  upsert,
  year,
} from '@strata-lake/strata';

const SERVED: ServeDefinition = {
  postgres: {
    url: secret('HR_POSTGRES'),
    schema: 'hr',
    tables: {
      employees: { from: 'silver.employee_data', key: 'emp_id' },
      employee_history: { from: 'gold.employee_timeframe', key: ['emp_id', 'start_date'] },
      leave_quota: { from: 'silver.leave_quota', key: ['emp_id', 'year'] },
      leave_calendar: { from: 'silver.leave_calendar', key: 'date' },
      leave_data: { from: 'gold.leave', key: ['emp_id', 'date'] },
      count_by_designation: { from: 'gold.active_by_designation', key: 'designation' },
      eight_percent: { from: 'gold.eight_percent', key: 'emp_id' },
      eighty_percent: { from: 'gold.eighty_percent', key: 'emp_id' },
      // Two messages may be equal: their place in the topic is not among the columns.
      flagged_messages: { from: 'gold.flagged_messages' },
      strike_salary: { from: 'gold.strike_salary', key: 'emp_id' },
    },
  },
};

/** People and what they were over time, their leave, and what they write to each other. */
export default definePipeline({
  name: 'hr',
  owner: 'people',
  tier: 2,
  description:
    'Employees, the history of their designations and salaries, their leave, and strikes for what they write. Where HR_POSTGRES is set, ten tables are served in that PostgreSQL.',
  // What several of them read, people, their history and their leave, is of none: each run has it on its own date.
  schedules: {
    daily: cron('0 7 * * *'),
    strikes: cron('0 8 * * *'),
    monthly: cron('0 7 1 * *', { catchup: 'all' }),
    yearly: cron('0 7 1 1 *'),
  },
  // Ten tables for reports and applications, where there is a PostgreSQL for them: the name of its secret is set.
  ...(process.env['HR_POSTGRES'] === undefined ? {} : { serve: SERVED }),
  vars: {
    leave_rule: {
      type: 'string',
      default: 'counts',
      in: ['counts', 'last'],
      description: "Of several events of a day: 'counts' weighs them all, 'last' takes the latest file's.",
    },
    base: {
      type: 'string',
      default: 'remaining',
      in: ['remaining', 'year'],
      description:
        "What upcoming leave is a share of: working days that are left of the year ('remaining'), or all ('year').",
    },
    matching: {
      type: 'string',
      default: 'word',
      in: ['word', 'token'],
      description: "What must be a marked word: a 'word', without punctuation around it, or a 'token' as it stands.",
    },
    cooldown: {
      type: 'string',
      default: 'one',
      in: ['one', 'all', '30d'],
      description: "What a month's start takes off: 'one' strike, or 'all'; '30d': a strike counts for thirty days.",
    },
  },
  sources: {
    employees: csv({
      key: 'emp_no',
      columns: {
        emp_no: { type: 'bigint', required: true },
        birth_date: 'date',
        first_name: 'string',
        last_name: 'string',
        gender: { type: 'string', in: ['F', 'M'] },
        hire_date: 'date',
      },
    }),
    employee_data: csv({
      key: 'emp_id',
      columns: {
        name: { type: 'string', required: true },
        age: { type: 'int', required: true, min: 1 },
        // Beyond 32 bits.
        emp_id: { type: 'bigint', required: true },
      },
    }),
    employee_timeframe: csv({
      key: ['emp_id', 'start_date'],
      columns: {
        emp_id: { type: 'bigint', required: true },
        designation: 'string',
        // Seconds since 1970 in UTC, at midnight; no end means that it lasts.
        start_date: { type: 'date', required: true, parse: 'epoch_seconds' },
        end_date: { type: 'date', parse: 'epoch_seconds', checks: { ends_before_start: 'end_date >= start_date' } },
        salary: { type: 'int', description: 'Before strikes.' },
      },
    }),
    employee_leave_quota: csv({
      branch: 'yearly',
      key: ['emp_id', 'year'],
      columns: {
        emp_id: { type: 'bigint', required: true },
        leave_quota: { type: 'int', required: true, min: 0, description: 'Days of leave that the year has.' },
        year: { type: 'int', required: true },
      },
    }),
    employee_leave_calendar: csv({
      branch: 'yearly',
      key: 'date',
      columns: {
        reason: { type: 'string', description: 'Why nobody works on that day.' },
        // Not padded: 2023-7-28.
        date: { type: 'date', required: true, parse: '%Y-%m-%d' },
      },
    }),
    employee_leave_data: csv({
      key: ['emp_id', 'date'],
      columns: {
        emp_id: { type: 'bigint', required: true },
        date: { type: 'date', required: true },
        status: {
          ...{ type: 'string', required: true, in: ['ACTIVE', 'CANCELLED'] },
          description: 'ACTIVE: applied for.',
        },
      },
    }),
    // The message is in the value; when it was sent is the record's own time.
    messages: kafka({
      branch: 'strikes',
      brokers: secret('HR_KAFKA'),
      topic: 'employee_messages',
      columns: {
        timestamp_ms: { type: 'timestamp', required: true, parse: 'epoch_millis', as: 'sent_at' },
        value: {
          type: 'string',
          required: true,
          checks: {
            no_message: `CASE WHEN NOT json_valid(value) OR json_type(json(value)) <> 'OBJECT' THEN false
              ELSE len(list_filter(json_extract_string(json(value), ['$.sender', '$.receiver', '$.message']),
                lambda part: part IS NOT NULL)) = 3 END`,
          },
        },
      },
    }),
    // One object: { "words": [...] }.
    marked_words: json({ branch: 'strikes', columns: { words: { type: 'list<string>', required: true } } }),
    vocabulary: json({ branch: 'strikes', columns: { words: { type: 'list<string>', required: true } } }),
  },
  silver: {
    employees: {
      from: 'employees',
      // Only people who are not there yet are added.
      mode: append({ dedupe: { key: 'emp_no' } }),
      sortBy: ['emp_no'],
      description: 'One row per person, as first seen.',
    },
    employee_data: {
      from: 'employee_data',
      // A second row of one id with another name or age is for a person to decide.
      mode: append({ dedupe: { key: 'emp_id' }, onDuplicate: 'condemn' }),
      metadata: ['row_hash'],
      sortBy: ['emp_id'],
      description: 'Name and age of each employee, as first seen.',
    },
    employee_timeframe: {
      from: 'employee_timeframe',
      mode: scd2({
        key: 'emp_id',
        sequence: 'start_date',
        track: ['designation', 'salary'],
        // A record ends where it says, or where its successor starts: an incoming record closes the open one.
        validTo: 'end_date',
        tieBreak: 'salary desc, end_date nulls first',
        // A year with the same designation and salary as the one before is a record of its own.
        coalesce: false,
        missing: 'keep',
      }),
      expect: { one_record_per_start: unique('emp_id', 'valid_from') },
      columns: { valid_to: 'Where the record ends, by its file or by its successor; null while it lasts.' },
      description: 'Every record of what a person was and earned, from valid_from up to valid_to.',
    },
    leave_quota: {
      from: 'employee_leave_quota',
      mode: upsert({ key: ['emp_id', 'year'], sequence: 'year', tieBreak: 'leave_quota desc' }),
      description: 'Days of leave of each employee and year; of several quotas the largest.',
    },
    leave_calendar: {
      from: 'employee_leave_calendar',
      mode: append({ dedupe: { key: 'date' } }),
      description: 'Days on which nobody works, beside weekends.',
    },
    leave_events: {
      from: 'employee_leave_data',
      // Each event counts, however often it is sent: files are increments. Where each has all leave there is, this is `mode: full()`
      // without metadata, and gold.leave has no files.
      metadata: ['source_file'],
      partitionBy: [year('date')],
      description: 'Leave as it was applied for and cancelled.',
    },
    marked_words: {
      from: 'marked_words',
      sql: 'silver/marked_words.sql',
      columns: {
        word_list: 'Trimmed, in lower case, each once, in order.',
        list_version: 'Hash of word_list, which messages keep.',
        unknown_words: 'Those that the vocabulary lacks.',
      },
      mode: full(),
      expect: {
        // A word that nobody can have written flags nothing.
        in_vocabulary: { condition: 'len(unknown_words) = 0', policy: 'warn' },
      },
      description:
        'The words that a message is flagged for: one row with the list, its hash, and those that the vocabulary lacks.',
    },
    vocabulary: {
      from: 'vocabulary',
      sql: 'silver/vocabulary.sql',
      mode: full(),
      description: 'The words that there are, in one row.',
    },
    messages: {
      from: 'messages',
      sql: 'silver/messages.sql',
      columns: {
        sent_at: "The record's own time, in UTC.",
        words: 'The marked words in the message.',
        flagged: 'Whether there is one.',
        list_version: 'Hash of the list by which it was looked through.',
      },
      mode: upsert({ key: ['topic', 'partition', 'offset'], sequence: 'offset', tieBreak: 'sent_at' }),
      description: 'Every message, whether it is flagged, and by which list of words.',
    },
  },
  gold: {
    employee_timeframe: {
      sql: 'gold/employee_timeframe.sql',
      columns: { end_date: 'Null while the record lasts.', status: 'ACTIVE while it lasts, else INACTIVE.' },
      expect: { one_record_per_start: unique('emp_id', 'start_date') },
      description: 'The history as people read it: start, end and status of each record.',
    },
    staff: {
      sql: 'gold/staff.sql',
      columns: {
        designation: 'UNKNOWN where the record has none; null without a record.',
        employed: 'Whether a record is open on the run date.',
      },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'What each employee is on the run date, or was when he left.',
    },
    leave: {
      sql: 'gold/leave.sql',
      columns: {
        status: 'CANCELLED where it was cancelled as often as applied for, by the rule leave_rule.',
        applied: 'Events that applied for the day.',
        cancelled: 'Events that cancelled it.',
      },
      partitionBy: [identity('year')],
      expect: { one_row_per_day: unique('emp_id', 'date') },
      description: 'Leave of people who are employed, by working day, also what was cancelled.',
    },
    eight_percent: {
      branch: 'daily',
      sql: 'gold/eight_percent.sql',
      columns: {
        upcoming_leaves: 'Working days of leave from the run date to the end of its year.',
        working_days: 'What they are a share of: those that are left of the year, or all, by base.',
        leave_percent: 'upcoming_leaves of working_days, in percent.',
        as_of: 'The run date.',
      },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'Who will be on leave for more than 8 % of the working days that are left of the year.',
    },
    eighty_percent: {
      branch: 'monthly',
      sql: 'gold/eighty_percent.sql',
      columns: {
        leaves_taken: 'Working days of leave of the year before the run date.',
        leave_percent: 'leaves_taken of leave_quota, in percent.',
        report_date: 'The run date.',
      },
      expect: { one_row_per_employee: unique('emp_id') },
      // One file a person and month, written once.
      export: {
        files: {
          name: 'reports/leave_80/{period}/{emp_id}_report.txt',
          period: 'period',
          text:
            'employee id: {emp_id}\nleave taken: {leaves_taken}\nleave quota: {leave_quota}\n' +
            'usage: {leave_percent}%\nreport date: {report_date}\n',
        },
      },
      description: 'Who had taken more than 80 % of his leave by the day before the run date.',
    },
    eighty_percent_exceptions: {
      branch: 'monthly',
      sql: 'gold/eighty_percent_exceptions.sql',
      columns: { code: 'MISSING_QUOTA: there is none; NO_QUOTA: it is of no days.' },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'Who has taken leave and has no quota to compare it with.',
    },
    strikes: {
      branch: 'strikes',
      sql: 'gold/strikes.sql',
      columns: {
        strikes: 'Those that count on the run date, after what months have taken off, by cooldown.',
        status: 'INACTIVE since the tenth, for good.',
        inactive_since: 'When the tenth came; null without one.',
        last_strike_no: 'Number of the message that was the tenth; null without one.',
        as_of: 'The run date.',
      },
      expect: { one_row_per_employee: unique('emp_id'), ten_at_most: 'strikes BETWEEN 0 AND 10' },
      description: 'Strikes of everyone who has had one, on the run date.',
    },
    flagged_messages: {
      branch: 'strikes',
      sql: 'gold/flagged_messages.sql',
      columns: { strike_no: 'Which strike of the sender it was; null of one that counts for none.' },
      description: 'Messages with a marked word, and the number of the strike that each was.',
    },
    flag_counts: {
      branch: 'strikes',
      sql: 'gold/flag_counts.sql',
      columns: { sent: 'Flagged messages, also to himself.', received: 'Flagged messages, also from himself.' },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'Flagged messages that each employee has sent and received; one to himself is both.',
    },
    unattributed: {
      branch: 'strikes',
      sql: 'gold/unattributed.sql',
      description: 'Flagged messages whose sender is no employee.',
    },
    strike_salary: {
      branch: 'strikes',
      sql: 'gold/strike_salary.sql',
      columns: {
        base_salary: 'Before strikes.',
        current_salary: 'A tenth less with each strike, rounded once.',
        as_of: 'The run date.',
      },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'What each employee earns after his strikes.',
    },
    employee_status: {
      branch: 'daily',
      sql: 'gold/employee_status.sql',
      columns: { status: 'ACTIVE: employed on the run date, and not struck out.' },
      expect: { one_row_per_employee: unique('emp_id') },
      description: 'Whether each employee is active: employed, and not struck out.',
    },
    active_by_designation: {
      branch: 'daily',
      sql: 'gold/active_by_designation.sql',
      expect: { one_row_per_designation: unique('designation') },
      description: 'How many active people each designation has.',
    },
  },
});
