import { formatFigure, formatTable } from './table.js';

/** A promise with a number in it, and what came out. */
export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly measured: string;
  readonly reached: boolean;
}

/** A figure that may not be larger than `limit`. */
export function atMost(what: string, limit: number, value: number, unit = ''): Aim {
  return compare(what, '≤', limit, value, unit, value <= limit);
}

/** A figure that may not be smaller than `limit`. */
export function atLeast(what: string, limit: number, value: number, unit = ''): Aim {
  return compare(what, '≥', limit, value, unit, value >= limit);
}

/** One line for each aim. */
export function formatAims(aims: readonly Aim[]): string {
  return formatTable(
    ['what', 'aim', 'measured', 'reached'],
    aims.map(({ what, aim, measured, reached }) => [what, aim, measured, reached ? 'yes' : '**no**']),
  );
}

function compare(
  what: string,
  sign: string,
  limit: number,
  value: number,
  unit: string,
  reached: boolean,
): Aim {
  const withUnit = (figure: number): string => `${formatFigure(figure)}${unit && ` ${unit}`}`;
  // The rounded figure may look as if it were on the other side.
  return { what, aim: `${sign} ${withUnit(limit)}`, measured: withUnit(value), reached };
}
