// A parent that is killed while its short-lived child is busy.
import { runOnce } from '../dist/index.js';
await runOnce(process.argv[2], { do: 'spin' });
