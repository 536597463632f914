// Tells which variables about descriptors it has.
import { attach } from '../dist/child/index.js';

const worker = await attach();
worker.ready(Object.keys(process.env).filter((name) => name.startsWith('LISTEN_')));
