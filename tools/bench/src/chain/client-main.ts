import { type HttpLoad, sendLoad } from './client.js';

// The load has a process of its own, so that its work is in nobody else's figures.
process.on('message', (load: HttpLoad) => {
  void sendLoad(load).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
