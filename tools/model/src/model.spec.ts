import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { encodeOnnx } from './encode-onnx.js';
import { accuracy, createNetwork, forward, train, toPerceptron, type Examples } from './network.js';
import { createRandom } from './random.js';

/** Points of the plane, labelled by the quadrant they lie in. */
function quadrants(count: number, seed: number): Examples {
  const random = createRandom(seed);
  const inputs = Float32Array.from({ length: count * 2 }, () => random() * 2 - 1);
  const labels = Uint8Array.from(
    { length: count },
    (_, i) => (inputs[2 * i]! > 0 ? 1 : 0) + (inputs[2 * i + 1]! > 0 ? 2 : 0),
  );
  return { inputs, labels, width: 2 };
}

describe('training', () => {
  test('teaches what the examples show, and answers for examples never seen', () => {
    const random = createRandom(1);
    const net = createNetwork(2, 16, 4, random);
    const before = accuracy(net, quadrants(500, 3));
    train(net, quadrants(2000, 2), { epochs: 8, rate: 0.05, random });
    expect(before).toBeLessThan(0.7);
    expect(accuracy(net, quadrants(500, 3))).toBeGreaterThan(0.95);
  });

  test('gives the same weights for the same seed, and others for another', () => {
    const weights = (seed: number): Uint8Array => {
      const random = createRandom(seed);
      const net = createNetwork(2, 8, 4, random);
      train(net, quadrants(200, 2), { epochs: 2, rate: 0.05, random });
      return encodeOnnx(toPerceptron(net));
    };
    expect(weights(5)).toEqual(weights(5));
    expect(weights(5)).not.toEqual(weights(6));
  });
});

describe('the ONNX file', () => {
  test('answers as the network that it was written from, for any number of rows', async () => {
    const random = createRandom(9);
    const net = createNetwork(4, 8, 3, random);
    const session = await InferenceSession.create(encodeOnnx(toPerceptron(net)));
    for (const rows of [1, 5]) {
      const crops = Float32Array.from({ length: rows * 4 }, () => random());
      const { probabilities } = await session.run({ crops: new Tensor('float32', crops, [rows, 4]) });
      expect(probabilities!.dims).toEqual([rows, 3]);
      const out = { active: new Float32Array(8), probabilities: new Float32Array(3) };
      for (let row = 0; row < rows; row++) {
        forward(net, crops.subarray(row * 4, row * 4 + 4), out);
        out.probabilities.forEach((value, k) => {
          expect(probabilities!.data[row * 3 + k]).toBeCloseTo(value, 5);
        });
      }
    }
  });
});
