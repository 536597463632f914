/** Side of the square that the classifier sees; a crop is `GRID * GRID` numbers, row by row. */
export const GRID = 10;

/** A picture as ink: 0 is paper, 1 is full ink; row by row. */
export interface Ink {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Part of a picture: `left`/`top` inclusive, `right`/`bottom` exclusive. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The box of a digit as the classifier sees it: scaled so that its longer side fills the grid, centred, each cell the
 * mean ink of the area it covers. Training and serving share this function, so that they see the same thing.
 */
export function cropToGrid(ink: Ink, box: Box): Float32Array {
  const boxWidth = box.right - box.left;
  const boxHeight = box.bottom - box.top;
  const cell = Math.max(boxWidth, boxHeight) / GRID;
  const originX = box.left - (cell * GRID - boxWidth) / 2;
  const originY = box.top - (cell * GRID - boxHeight) / 2;
  const crop = new Float32Array(GRID * GRID);
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const x = originX + column * cell;
      const y = originY + row * cell;
      crop[row * GRID + column] = meanInk(ink, box, x, y, cell);
    }
  }
  return crop;
}

/** Mean ink of the square at (x, y) of side `cell`; what lies outside the box counts as paper. */
function meanInk(ink: Ink, box: Box, x: number, y: number, cell: number): number {
  let sum = 0;
  const top = Math.max(box.top, Math.floor(y));
  const bottom = Math.min(box.bottom, Math.ceil(y + cell));
  const left = Math.max(box.left, Math.floor(x));
  const right = Math.min(box.right, Math.ceil(x + cell));
  for (let row = top; row < bottom; row++) {
    const high = Math.min(row + 1, y + cell) - Math.max(row, y);
    for (let column = left; column < right; column++) {
      const wide = Math.min(column + 1, x + cell) - Math.max(column, x);
      sum += high * wide * (ink.values[row * ink.width + column] ?? 0);
    }
  }
  return sum / (cell * cell);
}
