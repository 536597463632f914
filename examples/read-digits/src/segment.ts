import type { Box, Ink } from './crop.js';

/** A box smaller than this share of the tallest one's height is a speck, not a digit. */
const SPECK = 0.35;

/**
 * Gray pixels (0 black … 255 white) as ink. Whether the writing is dark on light or light on dark is told by the
 * border: what most of it shows is paper. Contrast is stretched, so that a pale picture reads like a strong one.
 */
export function toInk(pixels: Uint8Array, width: number, height: number): Ink {
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(pixels[x] ?? 0, pixels[(height - 1) * width + x] ?? 0);
  for (let y = 0; y < height; y++) border.push(pixels[y * width] ?? 0, pixels[y * width + width - 1] ?? 0);
  const paper = border.sort((a, b) => a - b)[border.length >> 1] ?? 255;
  const values = new Float32Array(width * height);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs((pixels[i] ?? 0) - paper);
    values[i] = distance;
    if (distance > most) most = distance;
  }
  if (most > 0) for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / most;
  return { width, height, values };
}

/** Boxes of the digits, left to right: connected inked areas, specks left out. Ink under `threshold` is paper. */
export function findDigits(ink: Ink, threshold = 0.5): Box[] {
  const seen = new Uint8Array(ink.values.length);
  const boxes: Box[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (!seen[start] && (ink.values[start] ?? 0) >= threshold) boxes.push(flood(ink, threshold, seen, start));
  }
  const tallest = Math.max(0, ...boxes.map((box) => box.bottom - box.top));
  return boxes.filter((box) => box.bottom - box.top >= SPECK * tallest).sort((a, b) => a.left - b.left);
}

/** The box around the inked area that `start` belongs to; marks the area as seen. */
function flood(ink: Ink, threshold: number, seen: Uint8Array, start: number): Box {
  const { width, height, values } = ink;
  const open = [start];
  seen[start] = 1;
  let left = width;
  let right = 0;
  let top = height;
  let bottom = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const x = at % width;
    const y = (at - x) / width;
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const next = ny * width + nx;
        if (!seen[next] && (values[next] ?? 0) >= threshold) {
          seen[next] = 1;
          open.push(next);
        }
      }
    }
  }
  return { left, top, right, bottom };
}
