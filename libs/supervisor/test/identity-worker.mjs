// Tells as whom it runs; the umask is that of its first import. Ends when it is told to by SIGUSR2.
import { attach } from '../dist/child/index.js';

const umask = process.umask();
const worker = await attach();
const told = new Promise((resolve) => process.on('SIGUSR2', () => resolve(console.log('told SIGUSR2'))));
worker.onDrain(() => told.then(() => console.log('drained')));
worker.ready({ uid: process.getuid(), gid: process.getgid(), umask });
