#!/usr/bin/env node
// The native compiler under a name of its own: two packages that offer `tsc` would race for `node_modules/.bin/tsc`.
await import(new URL('bin/tsc', import.meta.resolve('typescript-native/package.json')).href);
