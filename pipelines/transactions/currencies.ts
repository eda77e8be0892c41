import * as listed from 'dinero.js/currencies';

/** Currencies of ISO 4217 that were withdrawn, with the first month without them (the standard's list three). */
const WITHDRAWN: Readonly<Record<string, string>> = {
  ...{ RUR: '2004-01', TRL: '2005-12', ROL: '2005-06', BGL: '2003-11', ATS: '2002-03', BEF: '2002-03' },
  ...{ DEM: '2002-03', ESP: '2002-03', FIM: '2002-03', FRF: '2002-03', GRD: '2002-03', IEP: '2002-03' },
  ...{ ITL: '2002-03', LUF: '2002-03', NLG: '2002-03', PTE: '2002-03', SIT: '2007-01', CYP: '2008-01' },
  ...{ MTL: '2008-01', VEB: '2008-01', SKK: '2009-01', TMM: '2009-01', ZWR: '2009-06', EEK: '2011-01' },
  ...{ ZMK: '2012-12', LVL: '2014-01', LTL: '2014-12', BYR: '2017-01', MRO: '2017-12', STD: '2017-12' },
  ...{ VEF: '2018-08', CUC: '2021-06', HRK: '2023-01', SLL: '2023-12', ZWL: '2024-09', ANG: '2025-03' },
  ...{ BGN: '2026-01' },
};

/** The codes in use on a day (`YYYY-MM-DD`), in alphabetic order; of the month of its withdrawal, a currency has none. */
export function currenciesOn(day: string): readonly string[] {
  const codes = new Set([...Object.keys(listed), ...Object.keys(WITHDRAWN)]);
  return [...codes].filter((code) => day < (WITHDRAWN[code] ?? '9999')).sort();
}
