import { readFile } from 'node:fs/promises';
import { createFileRegistry, type DescFile, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The .proto files of this app and all that they import, as descriptors: built by `nx generate grpc-api`. */
const DESCRIPTORS = new URL('../proto/descriptors.binpb', import.meta.url);

/** Finds described files as reflection asks for them; each answer is the file, then all that it imports. */
export interface DescriptorFiles {
  /** By path; undefined when there is none. */
  byPath(path: string): readonly Uint8Array[] | undefined;
  /** By the full name of a service, method, message, field or enum; undefined when none declares it. */
  bySymbol(symbol: string): readonly Uint8Array[] | undefined;
  hasMessage(name: string): boolean;
}

/** Reads the descriptors that were built with the app. */
export async function loadDescriptorFiles(): Promise<DescriptorFiles> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(DESCRIPTORS)));
  const files = [...registry.files];
  return {
    byPath: (path) => answer(files.find((file) => file.proto.name === path)),
    bySymbol: (symbol) => {
      // Methods, fields and values are found in what declares them.
      const declared = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf('.')));
      return answer(declared?.file);
    },
    hasMessage: (name) => registry.getMessage(name) !== undefined,
  };
}

function answer(file: DescFile | undefined): readonly Uint8Array[] | undefined {
  if (file === undefined) return undefined;
  return [...withImports(file)].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}

function withImports(file: DescFile, found: Set<DescFile> = new Set()): Set<DescFile> {
  found.add(file);
  for (const imported of file.dependencies) if (!found.has(imported)) withImports(imported, found);
  return found;
}
