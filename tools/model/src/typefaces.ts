import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import opentype, { type Font } from 'opentype.js';

/** Typefaces that the classifier learns from. */
export const TRAINED_TYPEFACES = [
  'arimo-latin-400-normal',
  'arimo-latin-700-normal',
  'bitter-latin-400-normal',
  'bitter-latin-700-normal',
  'cabin-latin-400-normal',
  'courier-prime-latin-400-normal',
  'courier-prime-latin-700-normal',
  'inconsolata-latin-400-normal',
  'inconsolata-latin-700-normal',
  'lora-latin-700-normal',
  'merriweather-latin-400-normal',
  'oswald-latin-400-normal',
  'open-sans-latin-400-normal',
  'open-sans-latin-700-normal',
  'pt-serif-latin-400-normal',
  'roboto-latin-300-normal',
  'roboto-latin-500-normal',
  'roboto-latin-900-normal',
] as const;

/** Typefaces that it never sees before it is examined. */
export const HELD_OUT_TYPEFACES = [
  'lato-latin-400-normal',
  'lato-latin-700-normal',
  'roboto-slab-latin-400-normal',
] as const;

/** Reads typefaces from the @fontsource packages. */
export function loadTypefaces(names: readonly string[]): Promise<Font[]> {
  return Promise.all(names.map(loadTypeface));
}

async function loadTypeface(name: string): Promise<Font> {
  const family = name.replace(/-latin-.*$/, '');
  const bytes = await readFile(
    fileURLToPath(import.meta.resolve(`@fontsource/${family}/files/${name}.woff`)),
  );
  return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
