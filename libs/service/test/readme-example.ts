// The example of the README; a test keeps both equal.
import { batchable, createRunner, json, Service, Tensor, tensor } from '../src/index.js';

class Doubler {
  static readonly methods = { double: batchable({ maxBatchSize: 64 }) };
  async double(rows: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    const twice = rows.data.map((x) => 2 * x);
    return new Tensor('float32', twice, rows.shape);
  }
}
const doubler = createRunner(Doubler, { name: 'doubler', workers: 2 });

export const svc = new Service('demo', { runners: [doubler] }).api(
  'double',
  { input: tensor({ shape: [-1, 2] }), output: json() },
  async (rows) => ({ doubled: (await doubler.double.run(rows)).toNested() }),
);
