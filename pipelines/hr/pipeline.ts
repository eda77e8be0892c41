import { append, csv, definePipeline, scd2, unique } from '@strata-lake/strata';

/** People and what they were over time: a full history first, then what changed. */
export default definePipeline({
  name: 'hr',
  owner: 'people',
  tier: 2,
  description: 'Employees, the history of their designations and salaries, and how many there are now.',
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
    employee_timeframe: csv({
      key: ['emp_id', 'start_date'],
      columns: {
        emp_id: { type: 'bigint', required: true },
        designation: 'string',
        // Seconds since 1970 in UTC, at midnight; no end means that it lasts.
        start_date: { type: 'date', required: true, parse: 'epoch_seconds' },
        end_date: { type: 'date', parse: 'epoch_seconds', checks: { ends_before_start: 'end_date >= start_date' } },
        salary: 'int',
      },
    }),
  },
  silver: {
    employees: {
      from: 'employees',
      // Only people who are not there yet are added.
      mode: append({ dedupe: { key: 'emp_no' } }),
      sortBy: ['emp_no'],
      description: 'One row per person, as first seen.',
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
      description: 'Every record of what a person was and earned, from valid_from up to valid_to.',
    },
  },
  gold: {
    employee_timeframe: {
      sql: 'gold/employee_timeframe.sql',
      expect: { one_record_per_start: unique('emp_id', 'start_date') },
      description: 'The history as people read it: start, end and status of each record.',
    },
    active_by_designation: {
      sql: 'gold/active_by_designation.sql',
      expect: { one_row_per_designation: unique('designation') },
      description: 'How many people each designation has now.',
    },
  },
});
