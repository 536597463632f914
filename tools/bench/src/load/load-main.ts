import { runClosedLoop } from './closed-loop.js';
import type { LoadRequest } from './load-process.js';
import { runOpenLoop } from './open-loop.js';

// The load has a process of its own, so that its work is in nobody else's figures.
process.on('message', (request: LoadRequest) => {
  const report = request.kind === 'closed' ? runClosedLoop(request.load) : runOpenLoop(request.load);
  void report.then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
