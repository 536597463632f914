import { ServeError } from '@bentots/errors';
import {
  batchable,
  createRunner,
  image,
  json,
  method,
  Service,
  tensor,
  Tensor,
  type Image,
} from '@bentots/service';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { cropToGrid, GRID } from './crop.js';
import { findDigits, toInk } from './segment.js';

const CELLS = GRID * GRID;

/** Finds the digits in a picture. */
class Segmenter {
  static readonly methods = { segment: method({ idempotent: true }) };

  /** One row of 100 numbers per digit, left to right: [digits, 100]. */
  async segment(picture: Image): Promise<Tensor<'float32'>> {
    const ink = toInk((await picture.pixels('gray')).data, picture.width, picture.height);
    const boxes = findDigits(ink);
    const rows = new Float32Array(boxes.length * CELLS);
    boxes.forEach((box, i) => rows.set(cropToGrid(ink, box), i * CELLS));
    return new Tensor('float32', rows, [boxes.length, CELLS]);
  }
}

/** Names digits: an ONNX model, run in batches. */
class Classifier {
  static readonly methods = {
    classify: batchable({ maxBatchSize: 256, maxLatencyMs: 2000, idempotent: true }),
  };
  #session: InferenceSession | undefined;

  async init(): Promise<void> {
    const file = new URL('../model/digits.onnx', import.meta.url);
    this.#session = await InferenceSession.create(file.pathname, { intraOpNumThreads: 1 });
  }

  /** Crops [n, 100] in, probabilities [n, 10] out. */
  async classify(crops: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    if (!this.#session) throw new Error('classify was called before init');
    const input = new OrtTensor('float32', crops.data, crops.shape);
    const { probabilities } = await this.#session.run({ crops: input });
    return new Tensor('float32', Float32Array.from(probabilities?.data as Float32Array), [
      crops.shape[0] ?? 0,
      10,
    ]);
  }
}

const segmenter = createRunner(Segmenter, { name: 'segmenter' });
const classifier = createRunner(Classifier, { name: 'classifier' });

/** Reads digits: `classify` names crops of 10 × 10, `read_number` reads all the digits of a picture. */
export const service = new Service('read_digits', {
  description: 'Reads printed digits.',
  runners: [segmenter, classifier],
});

service.api(
  'classify',
  { input: tensor({ dtype: 'float32', shape: [-1, CELLS], enforceShape: true }), output: json() },
  async (crops) => {
    const probabilities = await classifier.classify.run(crops);
    return { labels: mostLikely(probabilities), probabilities: probabilities.toNested() };
  },
);

service.api('read_number', { input: image(), output: json() }, async (picture) => {
  const crops = await segmenter.segment.run(picture);
  if (crops.shape[0] === 0) throw new ServeError('unprocessable', 'the picture shows no digits');
  return { number: mostLikely(await classifier.classify.run(crops)).join('') };
});

/** The label of the largest probability of each row. */
function mostLikely(probabilities: Tensor<'float32'>): number[] {
  const [rows = 0, labels = 0] = probabilities.shape;
  return Array.from({ length: rows }, (_, row) => {
    const values = probabilities.data.subarray(row * labels, (row + 1) * labels);
    return values.indexOf(Math.max(...values));
  });
}
