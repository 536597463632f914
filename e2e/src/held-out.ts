import { readdirSync, readFileSync } from 'node:fs';

const model = new URL('../../examples/read-digits/model/', import.meta.url);

/** Crops of digits that the model never saw, with what they show. */
export function heldOutDigits(): { crops: number[][]; labels: number[] } {
  return JSON.parse(readFileSync(new URL('held-out.json', model), 'utf8')) as {
    crops: number[][];
    labels: number[];
  };
}

/** Pictures of numbers in typefaces that the model never saw. */
export function heldOutPictures(): { number: string; png: Buffer }[] {
  return readdirSync(new URL('held-out/', model)).map((name) => ({
    number: name.replace(/-.*/, ''),
    png: readFileSync(new URL(`held-out/${name}`, model)),
  }));
}
