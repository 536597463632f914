import { ServeError } from '@bentots/errors';
import { File_FileType as FileType } from '../wire/bentoml/grpc/v1alpha1/service.gen.js';

/** The kinds of files that `v1alpha1` can name. */
const MEDIA_TYPES: ReadonlyMap<FileType, string> = new Map([
  [FileType.FILE_TYPE_CSV, 'text/csv'],
  [FileType.FILE_TYPE_PLAINTEXT, 'text/plain'],
  [FileType.FILE_TYPE_JSON, 'application/json'],
  [FileType.FILE_TYPE_BYTES, 'application/octet-stream'],
  [FileType.FILE_TYPE_PDF, 'application/pdf'],
  [FileType.FILE_TYPE_PNG, 'image/png'],
  [FileType.FILE_TYPE_JPEG, 'image/jpeg'],
  [FileType.FILE_TYPE_GIF, 'image/gif'],
  [FileType.FILE_TYPE_BMP, 'image/bmp'],
  [FileType.FILE_TYPE_TIFF, 'image/tiff'],
  [FileType.FILE_TYPE_WEBP, 'image/webp'],
  [FileType.FILE_TYPE_SVG, 'image/svg+xml'],
]);

const FILE_TYPES: ReadonlyMap<string, FileType> = new Map(
  [...MEDIA_TYPES].map(([fileType, mediaType]) => [mediaType, fileType]),
);

/** The media type that a kind stands for; undefined when none is said. An unknown number is `invalid_argument`. */
export function mediaTypeOf(fileType: FileType | undefined): string | undefined {
  if (fileType === undefined || fileType === FileType.FILE_TYPE_UNSPECIFIED) return undefined;
  const mediaType = MEDIA_TYPES.get(fileType);
  if (mediaType !== undefined) return mediaType;
  const known = [...MEDIA_TYPES].map(([number, name]) => `${number} (${name})`).join(', ');
  throw new ServeError('invalid_argument', `file has the unknown kind ${fileType}; it may be ${known}`);
}

/** The kind that says a media type, its parameters aside; undefined for those that `v1alpha1` cannot name. */
export function fileTypeOf(mediaType: string | undefined): FileType | undefined {
  const [essence = ''] = mediaType?.split(';', 1) ?? [];
  return FILE_TYPES.get(essence.trim().toLowerCase());
}
