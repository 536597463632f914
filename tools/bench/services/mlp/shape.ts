/** Widths of the layers: 1024 numbers in, 1000 classes out. */
export const WIDTHS = [1024, 2048, 2048, 1000] as const;

/** Numbers that a row has. */
export const INPUTS = WIDTHS[0];

/** Where the generated model lies; not in git. */
export const MODEL_FILE = new URL('./model/mlp.onnx', import.meta.url);
