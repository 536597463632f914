import type { DType } from '@bentots/service';

/** What a value is; the first byte of its eight-byte head. */
export const KIND = {
  undefined: 0,
  null: 1,
  boolean: 2,
  number: 3,
  text: 4,
  json: 5,
  bytes: 6,
  tensor: 7,
  file: 8,
  image: 9,
  list: 10,
  record: 11,
} as const;

/** The number of each dtype on the wire; never renumbered. */
export const DTYPE_CODES = {
  float32: 1,
  float64: 2,
  int8: 3,
  uint8: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  bool: 11,
  string: 12,
} as const satisfies Record<DType, number>;

/** The dtypes by their number. */
export const DTYPES_BY_CODE: readonly (DType | undefined)[] = [
  undefined,
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
];

/** Dimensions of a tensor, at most. */
export const MAX_RANK = 32;

/** Members of one record, at most. */
export const MAX_MEMBERS = 65_535;

/** UTF-8 of the name of a member, at most. */
export const MAX_MEMBER_NAME_BYTES = 1024;

/** Stands for a text that is not there, where a two-byte length is expected. */
export const ABSENT = 0xffff;
