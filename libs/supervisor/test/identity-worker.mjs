// Tells as whom it runs; the umask is that of its first import.
import { attach } from '../dist/child/index.js';

const umask = process.umask();
const worker = await attach();
worker.ready({ uid: process.getuid(), gid: process.getgid(), umask });
