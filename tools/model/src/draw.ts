import type { Font, Path } from 'opentype.js';
import sharp from 'sharp';
import { between, gaussian, type Random } from './random.js';

/** How a line of digits is drawn. */
export interface Style {
  /** Height of the type, pixels. */
  readonly size: number;
  /** Turn of the line, degrees. */
  readonly degrees: number;
  /** Slant of the letters, degrees. */
  readonly slant: number;
  /** Gap between digits, in parts of `size`. */
  readonly gap: number;
  readonly ink: number;
  readonly paper: number;
  /** Deviation of the noise, of 255. */
  readonly noise: number;
  /** Radius of the blur, pixels; 0 for none. */
  readonly blur: number;
}

/** A style as cameras and scanners give it: slightly turned, slanted, blurred and noisy, dark on light or light on dark. */
export function drawStyle(random: Random): Style {
  const light = between(random, 200, 255);
  const dark = between(random, 0, 70);
  const inverted = random() < 0.25;
  return {
    size: between(random, 26, 64),
    degrees: between(random, -5, 5),
    slant: between(random, -9, 9),
    gap: between(random, 0.14, 0.3),
    ink: inverted ? light : dark,
    paper: inverted ? dark : light,
    noise: between(random, 0, 9),
    blur: random() < 0.5 ? between(random, 0.3, 1.1) : 0,
  };
}

/** A picture of gray pixels, 0 black … 255 white. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Draws `digits` in one line on a margin of paper. */
export async function drawDigits(font: Font, digits: string, style: Style, random: Random): Promise<Picture> {
  const { size } = style;
  const paths: string[] = [];
  let x = 0;
  for (const digit of digits) {
    const glyph = font.charToGlyph(digit);
    const box = glyph.getPath(0, 0, size).getBoundingBox();
    paths.push(pathData(glyph.getPath(x - box.x1, 0, size)));
    x += box.x2 - box.x1 + size * style.gap;
  }
  const lineWidth = x - size * style.gap;
  const width = Math.ceil(lineWidth + size * 1.2);
  const height = Math.ceil(size * 1.5 + lineWidth * Math.abs(Math.sin((style.degrees * Math.PI) / 180)));
  const gray = (value: number): string => `rgb(${[value, value, value].map(Math.round).join(',')})`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="${gray(style.paper)}"/>
    <g fill="${gray(style.ink)}" transform="translate(${width / 2} ${height / 2}) rotate(${style.degrees})
      skewX(${style.slant}) translate(${-lineWidth / 2} ${size * 0.36})"><path d="${paths.join('')}"/></g></svg>`;
  let image = sharp(Buffer.from(svg)).removeAlpha().grayscale();
  if (style.blur >= 0.3) image = image.blur(style.blur);
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(info.width * info.height);
  for (let i = 0; i < pixels.length; i++) {
    const value = (data[i * info.channels] ?? 0) + style.noise * gaussian(random);
    pixels[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
  return { width: info.width, height: info.height, pixels };
}

/** SVG path data of a glyph. opentype.js has a method for it, which writes NaN where a coordinate is tiny (1e-15, say). */
function pathData(path: Path): string {
  const at = (...numbers: number[]): string => numbers.map((value) => value.toFixed(2)).join(' ');
  return path.commands
    .map((step) => {
      if (step.type === 'Z') return 'Z';
      if (step.type === 'C') return `C${at(step.x1, step.y1, step.x2, step.y2, step.x, step.y)}`;
      if (step.type === 'Q') return `Q${at(step.x1, step.y1, step.x, step.y)}`;
      return `${step.type}${at(step.x, step.y)}`;
    })
    .join('');
}

/** `picture` as a PNG file. */
export function encodePng(picture: Picture): Promise<Buffer> {
  const raw = { width: picture.width, height: picture.height, channels: 1 as const };
  return sharp(picture.pixels, { raw }).png().toBuffer();
}
