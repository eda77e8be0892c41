import { base, en, Faker } from '@faker-js/faker';
import type { RetailWords } from '../sql/generate-retail.ts';

/** How many names of each kind are taken from faker: enough that customers rarely share one, few enough for one statement. */
const NAMES = 200;

/** Faker knows countries but not which sales region they belong to. */
const COUNTRIES_BY_REGION: Readonly<Record<string, readonly string[]>> = {
  'North America': ['Canada', 'Mexico', 'United States'],
  'South America': ['Argentina', 'Brazil', 'Chile', 'Colombia'],
  Europe: ['France', 'Germany', 'Italy', 'Poland', 'Spain', 'Sweden', 'United Kingdom'],
  'Asia Pacific': ['Australia', 'India', 'Japan', 'New Zealand', 'Singapore', 'South Korea'],
  'Middle East and Africa': ['Egypt', 'Kenya', 'Nigeria', 'South Africa', 'United Arab Emirates'],
};

const SUBCATEGORIES_BY_CATEGORY: Readonly<Record<string, readonly string[]>> = {
  Clothing: ['Gloves', 'Hat', 'Shirt', 'Shoes'],
  Electronics: ['Computer', 'Headphones', 'Keyboard', 'Mouse'],
  Garden: ['Bench', 'Lantern', 'Planter'],
  Home: ['Chair', 'Lamp', 'Shelf', 'Table'],
  Kitchen: ['Bowl', 'Kettle', 'Mug', 'Pan'],
  Sports: ['Ball', 'Bike', 'Racket'],
};

/** The words a retail sample is drawn from; the same seed gives the same words for one release of faker. */
export function chooseRetailWords(seed: number): RetailWords {
  const faker = new Faker({ locale: [en, base], seed });
  const names = (draw: () => string): readonly string[] => faker.helpers.uniqueArray(draw, NAMES).map(toPlainWord);
  return {
    femaleNames: names(() => faker.person.firstName('female')),
    maleNames: names(() => faker.person.firstName('male')),
    lastNames: names(() => faker.person.lastName()),
    countries: Object.entries(COUNTRIES_BY_REGION).flatMap(([region, countries]) =>
      countries.map((country) => ({ country, region })),
    ),
    categories: Object.entries(SUBCATEGORIES_BY_CATEGORY).map(([category, subcategories]) => ({
      category,
      subcategories,
    })),
    adjectives: faker.helpers.uniqueArray(() => faker.commerce.productAdjective(), 20),
    materials: faker.helpers.uniqueArray(() => faker.commerce.productMaterial(), 12),
    channels: ['app', 'partner', 'store', 'web'],
  };
}

/** A line break inside a word would make one CSV record two lines for readers that split at line ends. */
function toPlainWord(word: string): string {
  return word.replaceAll(/\s+/g, ' ');
}
