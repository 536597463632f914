import { ServeError } from '@bentots/errors';
import { isRecord, type RunnerValue, Tensor } from '@bentots/service';

/** What has one entry per row: a tensor, along its batch dimension, or an array. */
export type Rows = Tensor | readonly RunnerValue[];

/** One argument of a batchable method: rows, or a record whose members, at any depth, are rows. */
export type BatchArg = Rows | BatchRecord;

/** Rows by name: `{ ids: tensor, mask: tensor }`. */
export interface BatchRecord {
  readonly [name: string]: BatchArg;
}

/** The arguments of one call of a batchable method, all with the same number of rows. */
export type BatchArgs = readonly BatchArg[];

/**
 * What a batchable method answered: one tensor, several tensors (several outputs), a list with one value per row, or a
 * record of such (named outputs). An array of nothing but tensors means several outputs.
 */
export type BatchOutput =
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | { readonly kind: 'outputs'; readonly tensors: readonly Tensor[] }
  | { readonly kind: 'list'; readonly values: readonly RunnerValue[] }
  | { readonly kind: 'record'; readonly members: Readonly<Record<string, BatchOutput>> };

/**
 * Checks that every argument can be joined along `dim` and that all have the same number of rows.
 *
 * @throws ServeError `invalid_argument` naming the argument, and the member of a record by its path.
 */
export function checkBatchArgs(args: readonly RunnerValue[], dim: number): BatchArgs {
  if (args.length === 0) throw invalid('a batchable method takes at least one argument; got none');
  const first: { path?: string; rows: number } = { rows: 0 };
  const check = (rows: Rows, path: string): void => {
    const count = rowsOf(rows, dim);
    if (first.path === undefined) Object.assign(first, { path, rows: count });
    else if (count !== first.rows) {
      throw invalid(`${path} has ${count} rows, ${first.path} has ${first.rows}: they must be equal`);
    }
  };
  return args.map((arg, index) => checkBatchArg(arg, `argument ${index + 1}`, dim, check));
}

/** Rows of checked arguments. */
export function countRows(args: BatchArgs, dim: number): number {
  return args[0] === undefined ? 0 : rowsOf(firstRows(args[0]), dim);
}

/**
 * Calls of the same kind can be joined: argument by argument, member by member, dtype and all dimensions but the
 * batch's are equal.
 */
export function kindOfArgs(args: BatchArgs, dim: number): string {
  return args.map((arg) => kindOfArg(arg, dim)).join(';');
}

/** Cuts one call into calls of at most `maxRows` rows, in order. */
export function splitArgs(args: BatchArgs, dim: number, maxRows: number): readonly BatchArgs[] {
  const rows = countRows(args, dim);
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, i) => {
    const start = i * maxRows;
    const end = Math.min(rows, start + maxRows);
    return args.map((arg) => sliceArg(arg, dim, start, end));
  });
}

/** The arguments of several calls of one kind as those of one call. */
export function joinArgs(calls: readonly BatchArgs[], dim: number): BatchArgs {
  const [first = [], ...others] = calls;
  if (others.length === 0) return first;
  return first.map((_, index) =>
    joinColumn(
      calls.map((call) => call[index] ?? []),
      dim,
    ),
  );
}

/**
 * What the method answered, as a batch of `rows` rows.
 *
 * @throws ServeError `internal` naming both counts when it has another number of rows, and when it is no batch at all.
 */
export function checkBatchOutput(
  value: RunnerValue,
  dim: number,
  rows: number,
  path = 'the result',
): BatchOutput {
  if (value instanceof Tensor) {
    checkRows(path, value, dim, rows);
    return { kind: 'tensor', tensor: value };
  }
  if (isRecord(value) && Object.keys(value).length > 0) {
    const members = mapMembers(value, (member, name) =>
      checkBatchOutput(member, dim, rows, memberPath(path === 'the result' ? 'result' : path, name)),
    );
    return { kind: 'record', members };
  }
  if (!Array.isArray(value)) {
    const expected = 'a batchable method answers with a tensor, an array or a record of them';
    throw wrongOutput(`${path} is ${nameOf(value)}; ${expected}`);
  }
  const values: readonly RunnerValue[] = value;
  const tensors = values.filter(isTensor);
  if (values.length > 0 && tensors.length === values.length) {
    const output = path === 'the result' ? 'output' : `${path} output`;
    for (const [index, tensor] of tensors.entries()) checkRows(`${output} ${index + 1}`, tensor, dim, rows);
    return { kind: 'outputs', tensors };
  }
  if (values.length !== rows) throw wrongRows(path, values.length, rows);
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
  const [form, ...others] = parts.map(formOf);
  if (first === undefined || others.some((other) => other !== form)) {
    throw wrongOutput(
      `the parts of a split call were answered in different forms: ${parts.map(formOf).join(', ')}`,
    );
  }
  switch (first.kind) {
    case 'tensor': {
      const tensors = parts.flatMap((part) => (part.kind === 'tensor' ? [part.tensor] : []));
      return { kind: 'tensor', tensor: Tensor.concat(tensors, dim) };
    }
    case 'list':
      return { kind: 'list', values: parts.flatMap((part) => (part.kind === 'list' ? part.values : [])) };
    case 'outputs': {
      const columns = parts.flatMap((part) => (part.kind === 'outputs' ? [part.tensors] : []));
      const tensors = first.tensors.map((_, i) =>
        Tensor.concat(columns.map((row) => row[i]).filter(isTensor), dim),
      );
      return { kind: 'outputs', tensors };
    }
    case 'record': {
      const records = parts.flatMap((part) => (part.kind === 'record' ? [part.members] : []));
      const members = mapMembers(first.members, (_, name) =>
        joinOutputs(
          records.flatMap((record) => record[name] ?? []),
          dim,
        ),
      );
      return { kind: 'record', members };
    }
  }
}

/** The value that goes to the caller. */
export function valueOf(output: BatchOutput): RunnerValue {
  if (output.kind === 'tensor') return output.tensor;
  if (output.kind === 'record') return mapMembers(output.members, valueOf);
  return output.kind === 'outputs' ? output.tensors : output.values;
}

function sliceRows(output: BatchOutput, dim: number, start: number, end: number): BatchOutput {
  if (output.kind === 'tensor') return { kind: 'tensor', tensor: output.tensor.slice(start, end, dim) };
  if (output.kind === 'list') return { kind: 'list', values: output.values.slice(start, end) };
  if (output.kind === 'record') {
    return {
      kind: 'record',
      members: mapMembers(output.members, (member) => sliceRows(member, dim, start, end)),
    };
  }
  return { kind: 'outputs', tensors: output.tensors.map((tensor) => tensor.slice(start, end, dim)) };
}

/** What must be equal for outputs to be joined. */
function formOf(output: BatchOutput): string {
  if (output.kind === 'outputs') return `${output.tensors.length} outputs`;
  return output.kind === 'record' ? `{${Object.keys(output.members).sort().join()}}` : output.kind;
}

function checkRows(what: string, tensor: Tensor, dim: number, rows: number): void {
  const got = tensor.shape[dim];
  if (got === undefined) {
    throw wrongOutput(`${what} has shape [${tensor.shape.join(', ')}]; its batch dimension is ${dim}`);
  }
  if (got !== rows) throw wrongRows(what, got, rows);
}

/** `path.name`, for messages; names that are no identifiers are quoted. */
function memberPath(path: string, name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

/** Rows of a tensor along `dim`, or entries of an array. */
function rowsOf(rows: Rows, dim: number): number {
  return rows instanceof Tensor ? (rows.shape[dim] ?? 0) : rows.length;
}

/** What a value is, for messages. */
function nameOf(value: RunnerValue): string {
  if (value === null || value === undefined) return String(value);
  if (isRecord(value)) return 'a record without members';
  return typeof value === 'object' ? `a ${value.constructor.name}` : `a ${typeof value}`;
}

/** A copy whose members are what `change` makes of them. Members are defined, never set: `__proto__` is one as any. */
function mapMembers<T, U>(
  record: Readonly<Record<string, T>>,
  change: (member: T, name: string) => U,
): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([name, member]) => [name, change(member, name)]));
}

function checkBatchArg(
  arg: RunnerValue,
  path: string,
  dim: number,
  check: (rows: Rows, path: string) => void,
): BatchArg {
  if (arg instanceof Tensor) {
    if (dim >= arg.rank) {
      throw invalid(`${path} has shape [${arg.shape.join(', ')}]; its batch dimension is ${dim}`);
    }
    check(arg, path);
    return arg;
  }
  if (Array.isArray(arg)) {
    const rows: readonly RunnerValue[] = arg;
    check(rows, path);
    return rows;
  }
  if (isRecord(arg) && Object.keys(arg).length > 0) {
    return mapMembers(arg, (member, name) => checkBatchArg(member, memberPath(path, name), dim, check));
  }
  throw invalid(`${path} is ${nameOf(arg)}; a batchable method takes tensors, arrays and records of them`);
}

function kindOfArg(arg: BatchArg, dim: number): string {
  if (arg instanceof Tensor) return `${arg.dtype}[${arg.shape.with(dim, -1).join()}]`;
  if (isRows(arg)) return 'list';
  // Sorted: two callers may name their members in different orders.
  const members = Object.entries(arg).map(
    ([name, member]) => `${JSON.stringify(name)}:${kindOfArg(member, dim)}`,
  );
  return `{${members.sort().join()}}`;
}

function sliceArg(arg: BatchArg, dim: number, start: number, end: number): BatchArg {
  if (arg instanceof Tensor) return arg.slice(start, end, dim);
  return isRows(arg) ? arg.slice(start, end) : mapMembers(arg, (member) => sliceArg(member, dim, start, end));
}

/** One argument, or one member, of several calls of one kind. */
function joinColumn(column: readonly BatchArg[], dim: number): BatchArg {
  const [first = []] = column;
  if (first instanceof Tensor) return Tensor.concat(column.filter(isTensor), dim);
  if (isRows(first)) return column.flatMap((rows) => (isRows(rows) ? [...listOf(rows)] : []));
  return mapMembers(first, (_, name) =>
    joinColumn(
      column.map((record) => memberOf(record, name)),
      dim,
    ),
  );
}

/** Any rows of an argument: all of it have as many. */
function firstRows(arg: BatchArg): Rows {
  return isRows(arg) ? arg : firstRows(Object.values(arg)[0] ?? []);
}

/** The member of this name, which calls of one kind all have. */
function memberOf(arg: BatchArg, name: string): BatchArg {
  return isRows(arg) ? [] : (arg[name] ?? []);
}

function isRows(arg: BatchArg): arg is Rows {
  return arg instanceof Tensor || Array.isArray(arg);
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function listOf(rows: Rows): readonly RunnerValue[] {
  return rows instanceof Tensor ? [rows] : rows;
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}

function wrongRows(what: string, got: number, rows: number): ServeError {
  const words = `${what} has ${got} rows for a batch of ${rows}; one per row is expected`;
  return new ServeError('internal', words, { details: { rows, got } });
}

function wrongOutput(message: string): ServeError {
  return new ServeError('internal', message);
}
