import type { InitializeHook, ResolveHook } from 'node:module';

// Runs on Node's loader thread, started by same-copy.ts.

const urls = new Map<string, string>();

/** Receives package name → URL. */
export const initialize: InitializeHook<Readonly<Record<string, string>>> = (data) => {
  for (const [name, url] of Object.entries(data)) urls.set(name, url);
};

/** Answers for the named packages; everything else goes on. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const url = urls.get(specifier);
  return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
};
