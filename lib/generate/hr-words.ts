import { base, en, Faker } from '@faker-js/faker';
import type { HrWords } from '../sql/generate-hr.ts';

/** Names enough that employees rarely share one. */
const NAMES = 200;

/** Days off of every year, whatever day of the week they are on, not padded. */
const HOLIDAYS: HrWords['holidays'] = [
  ['1-1', 'New Year'],
  ['1-26', 'Republic Day'],
  ['3-8', 'Spring Day'],
  ['4-7', 'Health Day'],
  ['5-1', 'Labour Day'],
  ['7-28', 'Founders Day'],
  ['8-15', 'Independence Day'],
  ['10-2', 'Autumn Day'],
  ['11-12', 'Lights'],
  ['12-25', 'Christmas'],
];

/** The words an hr sample is drawn from; the same seed gives the same words for one release of faker. */
export function chooseHrWords(seed: number): HrWords {
  const faker = new Faker({ locale: [en, base], seed });
  const names = (draw: () => string): readonly string[] =>
    faker.helpers.uniqueArray(draw, NAMES).map((name) => name.replaceAll(/\s+/g, ' '));
  return {
    firstNames: names(() => faker.person.firstName()),
    lastNames: names(() => faker.person.lastName()),
    designations: [
      'Analyst',
      'Assistant Engineer',
      'Engineer',
      'Manager',
      'Senior Engineer',
      'Staff',
      'Technique Leader',
    ],
    holidays: HOLIDAYS,
  };
}
