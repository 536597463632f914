import onnxProto from 'onnx-proto';
import type { Network } from './network.js';

const { onnx } = onnxProto;
const FLOAT = onnx.TensorProto.DataType.FLOAT;

/** `net` as an ONNX file: `crops` [n, width] → `probabilities` [n, classes]; the first dimension is free. */
export function encodeOnnx(net: Network): Uint8Array {
  const graph = {
    name: 'digits',
    node: [
      node('Gemm', ['crops', 'w1', 'b1'], 'dense1'),
      node('Relu', ['dense1'], 'active'),
      node('Gemm', ['active', 'w2', 'b2'], 'dense2'),
      node('Softmax', ['dense2'], 'probabilities'),
    ],
    initializer: [
      weights('w1', [net.width, net.hidden], net.w1),
      weights('b1', [net.hidden], net.b1),
      weights('w2', [net.hidden, net.classes], net.w2),
      weights('b2', [net.classes], net.b2),
    ],
    input: [rows('crops', net.width)],
    output: [rows('probabilities', net.classes)],
  };
  const model = { irVersion: 8, producerName: 'bentots', opsetImport: [{ domain: '', version: 13 }], graph };
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
}

function node(opType: string, input: string[], output: string): object {
  return { opType, input, output: [output], name: output };
}

function weights(name: string, dims: number[], values: Float32Array): object {
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
