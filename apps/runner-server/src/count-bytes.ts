import { FileValue, Image, type RunnerValue, Tensor } from '@bentots/service';

/** What values weigh in a queue: their tensors, pictures, files and texts; the rest is small. */
export function countBytes(values: RunnerValue | readonly RunnerValue[]): number {
  if (typeof values === 'string') return values.length;
  if (typeof values !== 'object' || values === null) return 8;
  if (values instanceof Tensor) return bytesOfTensor(values);
  if (values instanceof Uint8Array) return values.byteLength;
  if (values instanceof FileValue || values instanceof Image) return values.bytes.byteLength;
  const members: readonly RunnerValue[] = Array.isArray(values) ? values : Object.values(values);
  return members.reduce<number>((sum, member) => sum + countBytes(member), 8);
}

function bytesOfTensor({ data }: Tensor): number {
  return 'byteLength' in data ? data.byteLength : data.reduce((sum, text) => sum + text.length, 0);
}
