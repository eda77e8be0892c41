import * as columns from '../core/keyed.ts';
import { ownName } from './quote.ts';

/** The columns that keyed tables have beside their models', as SQL names them. */

export const VALID_FROM = ownName(columns.VALID_FROM);
export const VALID_TO = ownName(columns.VALID_TO);
export const IS_CURRENT = ownName(columns.IS_CURRENT);
export const OP = ownName(columns.OP);
export const EVENT_HASH = ownName(columns.EVENT_HASH);
export const SOURCE_FILE = ownName(columns.SOURCE_FILE);
export const KEY_HASH = ownName(columns.KEY_HASH);
