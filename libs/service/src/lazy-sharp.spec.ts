import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const built = new URL('../dist/index.js', import.meta.url);

/** Runs code in a new process, and tells whether it loaded sharp's native library. */
async function loadsSharp(code: string): Promise<boolean> {
  const report = 'process.report.getReport().sharedObjects';
  const script = `const { Image, Tensor, image } = await import(${JSON.stringify(built.href)});
    ${code};
    console.log(JSON.stringify(${report}.filter((file) => /sharp|vips/.test(file))));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return stdout.trim() !== '[]';
}

test('a process that decodes no picture does not load the native library, one that does loads it', async () => {
  const [without, withPicture] = await Promise.all([
    loadsSharp('image()'),
    loadsSharp("await Image.fromPixels(Tensor.zeros('uint8', [1, 1]))"),
  ]);
  expect({ without, withPicture }).toEqual({ without: false, withPicture: true });
});
