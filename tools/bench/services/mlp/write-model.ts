import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { type DenseLayer, encodeOnnx, type Perceptron } from '@bentots/model/encode-onnx';
import { createRandom } from '../../src/random.js';
import { MODEL_FILE, WIDTHS } from './shape.js';

/** An untrained network: its weights are drawn (He), the same for the same seed. It computes as much as a trained one. */
export function createMlp(widths: readonly number[], seed: number): Perceptron {
  const random = createRandom(seed);
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const layers = widths.slice(1).map((outputs, i): DenseLayer => {
    const inputs = widths[i] ?? 0;
    const weights = new Float32Array(inputs * outputs).map(() => gaussian() * Math.sqrt(2 / inputs));
    return { inputs, outputs, weights, biases: new Float32Array(outputs) };
  });
  return { name: 'mlp', input: 'rows', output: 'probabilities', layers };
}

/** Writes the model that the service loads, unless it is there. */
export async function writeModel(): Promise<void> {
  if (existsSync(MODEL_FILE)) return;
  await mkdir(new URL('.', MODEL_FILE), { recursive: true });
  // A bench that is ended while it writes leaves no half of a model.
  const unfinished = new URL(`${MODEL_FILE.href}.${process.pid}`);
  await writeFile(unfinished, encodeOnnx(createMlp(WIDTHS, 20_240)));
  await rename(unfinished, MODEL_FILE);
}
