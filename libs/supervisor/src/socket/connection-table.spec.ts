import { expect, test } from 'vitest';
import { parseConnectionTable } from './connection-table.js';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A06F 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 1684 1 00000000ba26eada 100 0 0 10 0
   1: 0100007F:A06F 0100007F:B122 06 00000000:00000000 03:0000175B 00000000     0        0 0 3 00000000c0931b09
   2: 0100007F:A06F 0100007F:B124 01 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000c0931b09 20 4 0 10 -1
   3: 0100007F:A06F 0100007F:B126 01 00000000:00000000 00:00000000 00000000     0        0 777 1 00000000c0931b09 20 4 0 10 -1
   4: 0100007F:A06F 0100007F:B128 03 00000000:00000000 01:00000063 00000000     0        0 0 1 0000000000000000
   5: 0100007F:A06F 0100007F:B12A 08 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000c0931b09 20 4 0 10 -1
   6: 0100007F:B124 0100007F:A06F 01 00000000:00000000 00:00000000 00000000     0        0 779 1 00000000c0931b09 20 4 0 10 -1
`;

test('queued, accepted and half-open connections are told apart; listeners, closed ones and other ports are left out', () => {
  expect(parseConnectionTable(table, 0xa06f)).toEqual([
    { remotePort: 0xb124, isHalfOpen: false, isQueued: true },
    { remotePort: 0xb126, isHalfOpen: false, isQueued: false },
    { remotePort: 0xb128, isHalfOpen: true, isQueued: false },
    { remotePort: 0xb12a, isHalfOpen: false, isQueued: true },
  ]);
});

test('an empty table has no connections', () => {
  expect(parseConnectionTable('', 80)).toEqual([]);
});
