import { defineModelTest } from '@strata-lake/strata';

const day = (text: string): number => Date.parse(text) / 1000;

export default defineModelTest({
  model: 'silver.employee_timeframe',
  tests: {
    'an incoming record closes the open one': {
      runs: [
        { given: { employee_timeframe: [{ emp_id: 1, designation: 'Engineer', start_date: day('2020-01-01') }] } },
        { given: { employee_timeframe: [{ emp_id: 1, designation: 'Manager', start_date: day('2022-01-01') }] } },
      ],
      expect: [
        { designation: 'Engineer', valid_from: '2020-01-01', valid_to: '2022-01-01', is_current: false },
        { designation: 'Manager', valid_from: '2022-01-01', valid_to: null, is_current: true },
      ],
    },
    'a record that ends before it begins is rejected': {
      given: { employee_timeframe: [{ emp_id: 1, start_date: day('2020-01-01'), end_date: day('2019-01-01') }] },
      expect: { rows: [], rejected: [{ row: 1, codes: 'ENDS_BEFORE_START' }] },
    },
  },
});
