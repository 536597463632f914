// Trains the digit classifier and writes what the example and its tests need into examples/read-digits/model:
//   digits.onnx          the model
//   held-out.json        crops of digits in typefaces and styles that it never saw: { crops: number[][], labels: number[] }
//   held-out/NNNN-I.png  pictures of numbers in those typefaces; the name says the number
//   report.json          seed, sizes, seconds, accuracies
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cropToGrid, GRID } from '@bentots/example-read-digits/crop';
import { findDigits, toInk } from '@bentots/example-read-digits/segment';
import type { Font } from 'opentype.js';
import { drawDigits, drawStyle, encodePng } from './draw.js';
import { encodeOnnx } from './encode-onnx.js';
import { accuracy, createNetwork, train, toPerceptron, type Examples } from './network.js';
import { createRandom, type Random } from './random.js';
import { HELD_OUT_TYPEFACES, loadTypefaces, TRAINED_TYPEFACES } from './typefaces.js';

const SEED = 4072;
const LINES_PER_TYPEFACE = 30;
const HELD_OUT_PICTURES = 120;
const REQUIRED_ACCURACY = 0.98;
const out = new URL('../../../examples/read-digits/model/', import.meta.url);

/** Draws lines of ten digits and cuts them as the segmenter does; a line that it cuts wrongly teaches nothing and is left out. */
async function drawExamples(fonts: Font[], lines: number, random: Random): Promise<Examples> {
  const crops: Float32Array[] = [];
  const labels: number[] = [];
  for (const font of fonts) {
    for (let line = 0; line < lines; line++) {
      const digits = Array.from({ length: 10 }, () => Math.floor(random() * 10));
      const picture = await drawDigits(font, digits.join(''), drawStyle(random), random);
      const ink = toInk(picture.pixels, picture.width, picture.height);
      const boxes = findDigits(ink);
      if (boxes.length !== digits.length) continue;
      crops.push(...boxes.map((box) => cropToGrid(ink, box)));
      labels.push(...digits);
    }
  }
  const inputs = new Float32Array(crops.length * GRID * GRID);
  crops.forEach((crop, i) => inputs.set(crop, i * GRID * GRID));
  return { inputs, labels: Uint8Array.from(labels), width: GRID * GRID };
}

async function drawHeldOutPictures(fonts: Font[], random: Random): Promise<void> {
  await mkdir(new URL('held-out/', out), { recursive: true });
  for (let i = 0; i < HELD_OUT_PICTURES; i++) {
    const number = String(Math.floor(1000 + random() * 9000));
    const font = fonts[i % fonts.length];
    if (!font) throw new Error('there are no held-out typefaces');
    const picture = await drawDigits(font, number, drawStyle(random), random);
    await writeFile(new URL(`held-out/${number}-${i}.png`, out), await encodePng(picture));
  }
}

const started = performance.now();
const random = createRandom(SEED);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const trained = await loadTypefaces(TRAINED_TYPEFACES);
const unseen = await loadTypefaces(HELD_OUT_TYPEFACES);
const lessons = await drawExamples(trained, LINES_PER_TYPEFACE, random);
const exam = await drawExamples(unseen, 14, random);
const drawn = performance.now();
const network = createNetwork(GRID * GRID, 64, 10, random);
train(network, lessons, { epochs: 15, rate: 0.02, random });
const report = {
  seed: SEED,
  examples: lessons.labels.length,
  heldOut: exam.labels.length,
  seconds: { draw: round((drawn - started) / 1000), train: round((performance.now() - drawn) / 1000) },
  accuracy: { lessons: round(accuracy(network, lessons)), heldOut: round(accuracy(network, exam)) },
};
await writeFile(new URL('digits.onnx', out), encodeOnnx(toPerceptron(network)));
const crops = Array.from(exam.labels, (_, i) =>
  Array.from(exam.inputs.subarray(i * exam.width, (i + 1) * exam.width), (value) => round(value)),
);
await writeFile(new URL('held-out.json', out), JSON.stringify({ crops, labels: Array.from(exam.labels) }));
await drawHeldOutPictures(unseen, random);
await writeFile(new URL('report.json', out), `${JSON.stringify(report, null, 2)}\n`);
console.log(`trained the digit classifier: ${JSON.stringify(report)}`);
if (report.accuracy.heldOut < REQUIRED_ACCURACY) {
  throw new Error(`held-out accuracy is ${report.accuracy.heldOut}, less than ${REQUIRED_ACCURACY}`);
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
