import { ServeError } from '@bentots/errors';
import { type RunnerValue, Tensor } from '@bentots/service';

/** The arguments of one call of a batchable method: tensors and arrays, all with the same number of rows. */
export type BatchArgs = readonly (Tensor | readonly RunnerValue[])[];

/**
 * What a batchable method answered: one tensor, several tensors (several outputs), or a list with one value per row.
 * An array of nothing but tensors means several outputs.
 */
export type BatchOutput =
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | { readonly kind: 'outputs'; readonly tensors: readonly Tensor[] }
  | { readonly kind: 'list'; readonly values: readonly RunnerValue[] };

/**
 * Checks that every argument can be joined along `dim` and that all have the same number of rows.
 *
 * @throws ServeError `invalid_argument` naming the argument.
 */
export function checkBatchArgs(args: readonly RunnerValue[], dim: number): BatchArgs {
  const checked = args.map((arg, index) => checkBatchArg(arg, index, dim));
  const [first, ...others] = checked;
  if (first === undefined) throw invalid('a batchable method takes at least one argument; got none');
  const rows = rowsOfArg(first, dim);
  const odd = others.findIndex((arg) => rowsOfArg(arg, dim) !== rows);
  if (odd !== -1) {
    const oddRows = rowsOfArg(others[odd] ?? first, dim);
    throw invalid(`argument ${odd + 2} has ${oddRows} rows, argument 1 has ${rows}: they must be equal`);
  }
  return checked;
}

/** Rows of checked arguments. */
export function countRows(args: BatchArgs, dim: number): number {
  return args[0] === undefined ? 0 : rowsOfArg(args[0], dim);
}

/** Calls of the same kind can be joined: dtype and all dimensions but the batch's are equal, argument by argument. */
export function kindOfArgs(args: BatchArgs, dim: number): string {
  return args
    .map((arg) => (arg instanceof Tensor ? `${arg.dtype}[${arg.shape.with(dim, -1).join()}]` : 'list'))
    .join(';');
}

/** Cuts one call into calls of at most `maxRows` rows, in order. */
export function splitArgs(args: BatchArgs, dim: number, maxRows: number): readonly BatchArgs[] {
  const rows = countRows(args, dim);
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, i) => {
    const start = i * maxRows;
    const end = Math.min(rows, start + maxRows);
    return args.map((arg) => (arg instanceof Tensor ? arg.slice(start, end, dim) : arg.slice(start, end)));
  });
}

/** The arguments of several calls of one kind as those of one call. */
export function joinArgs(calls: readonly BatchArgs[], dim: number): BatchArgs {
  const [first = [], ...others] = calls;
  if (others.length === 0) return first;
  return first.map((arg, index) => {
    const column = calls.map((call) => call[index] ?? []);
    return arg instanceof Tensor ? Tensor.concat(column.filter(isTensor), dim) : column.flatMap(listOf);
  });
}

/**
 * What the method answered, as a batch of `rows` rows.
 *
 * @throws ServeError `internal` naming both counts when it has another number of rows, and when it is no batch at all.
 */
export function checkBatchOutput(value: RunnerValue, dim: number, rows: number): BatchOutput {
  if (value instanceof Tensor) {
    checkRows('the result', value, dim, rows);
    return { kind: 'tensor', tensor: value };
  }
  if (!Array.isArray(value)) {
    throw wrongOutput(`the result is ${nameOf(value)}; a batchable method answers with a tensor or an array`);
  }
  const values: readonly RunnerValue[] = value;
  const tensors = values.filter(isTensor);
  if (values.length > 0 && tensors.length === values.length) {
    for (const [index, tensor] of tensors.entries()) checkRows(`output ${index + 1}`, tensor, dim, rows);
    return { kind: 'outputs', tensors };
  }
  if (values.length !== rows) throw wrongRows('the result', values.length, rows);
  return { kind: 'list', values };
}

/** Cuts a batch's output into those of its calls; `counts` are their rows, in order. */
export function sliceOutput(
  output: BatchOutput,
  dim: number,
  counts: readonly number[],
): readonly BatchOutput[] {
  if (counts.length === 1) return [output];
  const state = { start: 0 };
  return counts.map((count) => {
    const { start } = state;
    state.start += count;
    return sliceRows(output, dim, start, start + count);
  });
}

/** The outputs of the parts of one split call as one. */
export function joinOutputs(parts: readonly BatchOutput[], dim: number): BatchOutput {
  const [first] = parts;
  const sameKind = parts.every((part) => part.kind === first?.kind);
  if (first === undefined || !sameKind) {
    const kinds = parts.map((part) => part.kind).join(', ');
    throw wrongOutput(`the parts of a split call were answered in different forms: ${kinds}`);
  }
  if (first.kind === 'tensor') {
    const tensors = parts.flatMap((part) => (part.kind === 'tensor' ? [part.tensor] : []));
    return { kind: 'tensor', tensor: Tensor.concat(tensors, dim) };
  }
  if (first.kind === 'list') {
    return { kind: 'list', values: parts.flatMap((part) => (part.kind === 'list' ? part.values : [])) };
  }
  const columns = parts.flatMap((part) => (part.kind === 'outputs' ? [part.tensors] : []));
  const tensors = first.tensors.map((_, i) =>
    Tensor.concat(columns.map((row) => row[i]).filter(isTensor), dim),
  );
  return { kind: 'outputs', tensors };
}

/** The value that goes to the caller. */
export function valueOf(output: BatchOutput): RunnerValue {
  if (output.kind === 'tensor') return output.tensor;
  return output.kind === 'outputs' ? output.tensors : output.values;
}

function sliceRows(output: BatchOutput, dim: number, start: number, end: number): BatchOutput {
  if (output.kind === 'tensor') return { kind: 'tensor', tensor: output.tensor.slice(start, end, dim) };
  if (output.kind === 'list') return { kind: 'list', values: output.values.slice(start, end) };
  return { kind: 'outputs', tensors: output.tensors.map((tensor) => tensor.slice(start, end, dim)) };
}

function checkBatchArg(arg: RunnerValue, index: number, dim: number): Tensor | readonly RunnerValue[] {
  if (arg instanceof Tensor) {
    if (dim < arg.rank) return arg;
    throw invalid(`argument ${index + 1} has shape [${arg.shape.join(', ')}]; its batch dimension is ${dim}`);
  }
  if (Array.isArray(arg)) return arg;
  throw invalid(`argument ${index + 1} is ${nameOf(arg)}; a batchable method takes tensors and arrays`);
}

function rowsOfArg(arg: Tensor | readonly RunnerValue[], dim: number): number {
  return arg instanceof Tensor ? (arg.shape[dim] ?? 0) : arg.length;
}

function checkRows(what: string, tensor: Tensor, dim: number, rows: number): void {
  const got = tensor.shape[dim];
  if (got === undefined) {
    throw wrongOutput(`${what} has shape [${tensor.shape.join(', ')}]; its batch dimension is ${dim}`);
  }
  if (got !== rows) throw wrongRows(what, got, rows);
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function listOf(arg: Tensor | readonly RunnerValue[]): readonly RunnerValue[] {
  return arg instanceof Tensor ? [arg] : arg;
}

function nameOf(value: RunnerValue): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `a ${value.constructor.name}` : `a ${typeof value}`;
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}

function wrongRows(what: string, got: number, rows: number): ServeError {
  return new ServeError(
    'internal',
    `${what} has ${got} rows for a batch of ${rows}; one per row is expected`,
    {
      details: { rows, got },
    },
  );
}

function wrongOutput(message: string): ServeError {
  return new ServeError('internal', message);
}
