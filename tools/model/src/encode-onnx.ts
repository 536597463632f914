import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const FLOAT = onnx.TensorProto.DataType.FLOAT;

/** One dense layer. Weights row by row, [inputs][outputs]. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float32Array;
  readonly biases: Float32Array;
}

/** Dense layers with ReLU between them and softmax behind the last: `input` [n, first] → `output` [n, last]. */
export interface Perceptron {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly layers: readonly DenseLayer[];
}

/** The layers as an ONNX file; the first dimension of input and output is free. */
export function encodeOnnx({ name, input, output, layers }: Perceptron): Uint8Array {
  const last = layers.length;
  const graph = {
    name,
    node: layers.flatMap((_, i) => {
      const from = i === 0 ? input : `active${i}`;
      const dense = node('Gemm', [from, `w${i + 1}`, `b${i + 1}`], `dense${i + 1}`);
      const [opType, to] = i + 1 === last ? ['Softmax', output] : ['Relu', `active${i + 1}`];
      return [dense, node(opType, [`dense${i + 1}`], to)];
    }),
    initializer: layers.flatMap((layer, i) => [
      constant(`w${i + 1}`, [layer.inputs, layer.outputs], layer.weights),
      constant(`b${i + 1}`, [layer.outputs], layer.biases),
    ]),
    input: [rows(input, layers[0]?.inputs ?? 0)],
    output: [rows(output, layers[last - 1]?.outputs ?? 0)],
  };
  const model = { irVersion: 8, producerName: 'bentots', opsetImport: [{ domain: '', version: 13 }], graph };
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
}

function node(opType: string, input: string[], output: string): object {
  return { opType, input, output: [output], name: output };
}

function constant(name: string, dims: number[], values: Float32Array): object {
  return {
    name,
    dims,
    dataType: FLOAT,
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

function rows(name: string, width: number): object {
  return {
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'n' }, { dimValue: width }] } } },
  };
}
