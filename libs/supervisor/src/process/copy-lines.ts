import type { Readable } from 'node:stream';
import type { LineSink } from './line-sink.js';

/** A line that is longer is cut, so that a program which never ends one does not fill our memory. */
export const MAX_LINE_BYTES = 65_536;

const NEWLINE = 0x0a;

/**
 * Copies whole lines, each after `prefix`, until the stream ends; what is left then gets its newline. It reads on only
 * when the sink took the last piece. Never rejects.
 */
export async function copyLines(from: Readable, to: LineSink, prefix: string): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of from) {
      const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) await to.write(prefixLines(bytes.subarray(0, end), prefix));
      rest = bytes.subarray(end);
      if (rest.length < MAX_LINE_BYTES) continue;
      await to.write(prefixLines(endLine(rest), prefix));
      rest = Buffer.alloc(0);
    }
  } catch {
    // The pipe broke with its process: that is its end.
  }
  if (rest.length > 0) await to.write(prefixLines(endLine(rest), prefix));
}

function endLine(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.of(NEWLINE)]);
}

/** `lines` ends with a newline. The bytes themselves are not looked at: they may be no text. */
function prefixLines(lines: Buffer, prefix: string): Buffer {
  if (prefix === '') return lines;
  const [text, before] = [lines.toString('latin1'), Buffer.from(prefix).toString('latin1')];
  return Buffer.from(`${before}${text.slice(0, -1).replaceAll('\n', `\n${before}`)}\n`, 'latin1');
}
