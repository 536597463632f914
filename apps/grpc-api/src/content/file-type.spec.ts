import { expect, test } from 'vitest';
import { File_FileType as FileType } from '../wire/bentoml/grpc/v1alpha1/service.gen.js';
import { fileTypeOf, mediaTypeOf } from './file-type.js';

const KINDS = Object.values(FileType).filter((kind) => kind > FileType.FILE_TYPE_UNSPECIFIED);

test.each(KINDS)('kind %d comes back by its media type', (kind) => {
  expect(fileTypeOf(mediaTypeOf(kind))).toBe(kind);
});

test('no kind is no media type, and no media type is no kind', () => {
  expect([mediaTypeOf(undefined), mediaTypeOf(FileType.FILE_TYPE_UNSPECIFIED)]).toEqual([
    undefined,
    undefined,
  ]);
  expect([fileTypeOf(undefined), fileTypeOf('audio/ogg')]).toEqual([undefined, undefined]);
});

test('parameters and letter case of a media type do not matter', () => {
  expect(fileTypeOf('Text/CSV; charset=utf-8')).toBe(FileType.FILE_TYPE_CSV);
});

test('an unknown number is invalid_argument that lists the known ones', () => {
  const read = (): unknown => mediaTypeOf(99 as FileType);
  expect(read).toThrow('file has the unknown kind 99; it may be 1 (text/csv), 2 (text/plain)');
  expect(read).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});
