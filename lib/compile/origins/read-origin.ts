import type { Origin } from '../../core/origins.ts';
import { type Notes, placeIn } from '../notes.ts';
import { type Fields, readFields } from '../shape.ts';
import { HTTP, httpOrigin } from './http-shape.ts';
import { KAFKA, kafkaOrigin, noteStrangeFields } from './kafka-shape.ts';
import { POSTGRES, postgresOrigin } from './postgres-shape.ts';

/** What a source may say of where its files come from, by the kind of that; undefined for a source whose files others land. */
export function originFields(value: Readonly<Record<string, unknown>>): Fields | undefined {
  switch (value['origin']) {
    case 'http':
      return HTTP;
    case 'kafka':
      return KAFKA;
    case 'postgres':
      return POSTGRES;
    default:
      return undefined;
  }
}

/** Notes what is wrong with it, but for properties that are none of its own. */
export function readOrigin(value: Readonly<Record<string, unknown>>, place: string, notes: Notes): Origin | undefined {
  const quiet = withoutSecrets(place, notes);
  switch (value['origin']) {
    case 'http':
      return httpOrigin(readFields(HTTP, own(HTTP, value), place, '', quiet) ?? {}, place, notes);
    case 'kafka':
      noteStrangeFields(value['columns'], placeIn(place, 'columns'), notes);
      return kafkaOrigin(readFields(KAFKA, own(KAFKA, value), place, '', quiet) ?? {});
    case 'postgres':
      return postgresOrigin(
        readFields(POSTGRES, own(POSTGRES, value), place, '', quiet) ?? {},
        value['columns'],
        place,
        notes,
      );
    default:
      return undefined;
  }
}

function own(fields: Fields, value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(fields, key)));
}

const MAY_BE_SECRET = ['url', 'query', 'headers', 'brokers'];

/** What stands where a secret's name should is not repeated. */
function withoutSecrets(place: string, notes: Notes): Notes {
  const places = MAY_BE_SECRET.map((key) => placeIn(place, key));
  return {
    ...notes,
    add: (at, got, expected) => {
      const hidden = places.some((one) => at.startsWith(one)) && got !== 'nothing';
      notes.add(at, hidden ? 'something else' : got, expected);
    },
  };
}
