/** How files of each media type begin: bytes in hexadecimal, `..` for any. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'image/png': ['89504e470d0a1a0a'],
  'image/jpeg': ['ffd8ff'],
  'image/gif': ['47494638'],
  'image/webp': ['52494646........57454250'],
  'image/tiff': ['49492a00', '4d4d002a'],
  'image/avif': ['........6674797061766966', '........6674797061766973'],
  'image/bmp': ['424d............0000'],
};

/** Media types of the pictures that can be read. */
export const READABLE_MIME_TYPES: readonly string[] = Object.keys(SIGNATURES);

/**
 * The media type of a picture by its first bytes, or `undefined`. Decided here, so that bytes that are no picture, or
 * one of a kind that is drawn by a program (SVG, PDF), never reach the native decoders.
 */
export function sniffImage(bytes: Uint8Array): string | undefined {
  return READABLE_MIME_TYPES.find((type) => SIGNATURES[type]?.some((signature) => begins(bytes, signature)));
}

function begins(bytes: Uint8Array, signature: string): boolean {
  const length = signature.length / 2;
  if (bytes.byteLength < length) return false;
  return Array.from({ length }, (_, i) => signature.slice(2 * i, 2 * i + 2)).every(
    (pair, i) => pair === '..' || Number.parseInt(pair, 16) === bytes[i],
  );
}
