import type { Perceptron } from './encode-onnx.js';
import { gaussian, type Random } from './random.js';

/** Examples: `inputs` row by row, one label each. */
export interface Examples {
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
  readonly width: number;
}

/** Two dense layers: width → hidden (ReLU) → classes (softmax). Weights row by row, [in][out]. */
export interface Network {
  readonly width: number;
  readonly hidden: number;
  readonly classes: number;
  readonly w1: Float32Array;
  readonly b1: Float32Array;
  readonly w2: Float32Array;
  readonly b2: Float32Array;
}

/** A network with small random weights (He). */
export function createNetwork(width: number, hidden: number, classes: number, random: Random): Network {
  const fill = (rows: number, columns: number): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => gaussian(random) * Math.sqrt(2 / rows));
  return {
    width,
    hidden,
    classes,
    w1: fill(width, hidden),
    b1: new Float32Array(hidden),
    w2: fill(hidden, classes),
    b2: new Float32Array(classes),
  };
}

/** The network as it is written to a file: `crops` [n, width] → `probabilities` [n, classes]. */
export function toPerceptron({ width, hidden, classes, w1, b1, w2, b2 }: Network): Perceptron {
  return {
    name: 'digits',
    input: 'crops',
    output: 'probabilities',
    layers: [
      { inputs: width, outputs: hidden, weights: w1, biases: b1 },
      { inputs: hidden, outputs: classes, weights: w2, biases: b2 },
    ],
  };
}

/** Probabilities of one input, into `out.probabilities`; `out.active` keeps the hidden layer for the way back. */
export function forward(
  net: Network,
  input: Float32Array,
  out: { active: Float32Array; probabilities: Float32Array },
): void {
  const { active, probabilities } = out;
  active.set(net.b1);
  for (let i = 0; i < net.width; i++) {
    const x = input[i] ?? 0;
    if (x !== 0) addScaled(active, net.w1, i * net.hidden, x);
  }
  probabilities.set(net.b2);
  for (let j = 0; j < net.hidden; j++) {
    const a = Math.max(0, active[j] ?? 0);
    active[j] = a;
    if (a !== 0) addScaled(probabilities, net.w2, j * net.classes, a);
  }
  softmax(probabilities);
}

/**
 * Trains in place by stochastic gradient descent with momentum, one example at a time in a shuffled order; the rate
 * falls linearly to nothing over the epochs.
 */
export function train(
  net: Network,
  examples: Examples,
  options: { epochs: number; rate: number; random: Random },
): void {
  const count = examples.labels.length;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const out = { active: new Float32Array(net.hidden), probabilities: new Float32Array(net.classes) };
  const back = new Float32Array(net.hidden);
  const steps = options.epochs * count;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, options.random);
    order.forEach((index, at) => {
      const rate = options.rate * (1 - (epoch * count + at) / steps);
      const input = examples.inputs.subarray(index * net.width, (index + 1) * net.width);
      forward(net, input, out);
      const label = examples.labels[index] ?? 0;
      out.probabilities[label] = (out.probabilities[label] ?? 0) - 1;
      backward(net, input, out.active, out.probabilities, back, rate);
    });
  }
}

/** The share of examples that the network names rightly. */
export function accuracy(net: Network, examples: Examples): number {
  const out = { active: new Float32Array(net.hidden), probabilities: new Float32Array(net.classes) };
  let right = 0;
  examples.labels.forEach((label, index) => {
    forward(net, examples.inputs.subarray(index * net.width, (index + 1) * net.width), out);
    if (out.probabilities.indexOf(Math.max(...out.probabilities)) === label) right++;
  });
  return right / examples.labels.length;
}

/** One step down the gradient; `error` is probabilities − truth, `back` is scratch. */
function backward(
  net: Network,
  input: Float32Array,
  active: Float32Array,
  error: Float32Array,
  back: Float32Array,
  rate: number,
): void {
  for (let j = 0; j < net.hidden; j++) {
    const a = active[j] ?? 0;
    back[j] = a > 0 ? dot(net.w2, j * net.classes, error) : 0;
    if (a > 0) addScaledTo(net.w2, j * net.classes, error, -rate * a);
  }
  addScaledTo(net.b2, 0, error, -rate);
  for (let i = 0; i < net.width; i++) {
    const x = input[i] ?? 0;
    if (x !== 0) addScaledTo(net.w1, i * net.hidden, back, -rate * x);
  }
  addScaledTo(net.b1, 0, back, -rate);
}

function addScaled(target: Float32Array, source: Float32Array, offset: number, scale: number): void {
  for (let k = 0; k < target.length; k++) target[k] = (target[k] ?? 0) + scale * (source[offset + k] ?? 0);
}

function addScaledTo(target: Float32Array, offset: number, source: Float32Array, scale: number): void {
  for (let k = 0; k < source.length; k++)
    target[offset + k] = (target[offset + k] ?? 0) + scale * (source[k] ?? 0);
}

function dot(matrix: Float32Array, offset: number, vector: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += (matrix[offset + k] ?? 0) * (vector[k] ?? 0);
  return sum;
}

function softmax(values: Float32Array): void {
  const largest = Math.max(...values);
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    const e = Math.exp((values[k] ?? 0) - largest);
    values[k] = e;
    sum += e;
  }
  for (let k = 0; k < values.length; k++) values[k] = (values[k] ?? 0) / sum;
}

function shuffle(order: Uint32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
}
