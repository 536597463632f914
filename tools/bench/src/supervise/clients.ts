import { type Asker, grpcPredict, httpPredict } from '@bentots/load';
import { streamCountUp } from './stream.js';

/** Clients that behave alike. */
export interface ClientKind {
  readonly name: string;
  readonly scheme: 'http' | 'https' | 'grpc' | 'grpcs';
  readonly count: number;
  /** Shortest and longest pause before the next request. */
  readonly pauseMs: readonly [number, number];
  open(url: string): Asker;
}

const kept = { keepAlive: true };
const fresh = { keepAlive: false };
/** Nearly none: enough to let a machine of two cores start a worker beside it. */
const busy = [2, 8] as const;
/** From less to more than what a draining server waits before it closes an idle connection. */
const slow = [200, 1200] as const;

/** Clients of a tree without TLS. */
export const plainClients: readonly ClientKind[] = [
  { name: 'keep-alive', scheme: 'http', count: 4, pauseMs: busy, open: (url) => httpPredict(url, kept) },
  {
    name: 'think 20–100 ms',
    scheme: 'http',
    count: 8,
    pauseMs: [20, 100],
    open: (url) => httpPredict(url, kept),
  },
  {
    name: 'think 0.2–1.2 s',
    scheme: 'http',
    count: 48,
    pauseMs: slow,
    open: (url) => httpPredict(url, kept),
  },
  {
    name: 'connection per request',
    scheme: 'http',
    count: 4,
    pauseMs: busy,
    open: (url) => httpPredict(url, fresh),
  },
  { name: 'unary', scheme: 'grpc', count: 4, pauseMs: busy, open: (url) => grpcPredict(url) },
  {
    name: 'unary, think 0.2–1.2 s',
    scheme: 'grpc',
    count: 24,
    pauseMs: slow,
    open: (url) => grpcPredict(url),
  },
];

/** Clients of a tree with TLS; `ca` is its certificate. */
export function createTlsClients(ca: string): readonly ClientKind[] {
  const open = (options: { readonly keepAlive: boolean }) => (url: string) =>
    httpPredict(url, { ...options, ca });
  return [
    { name: 'keep-alive', scheme: 'https', count: 4, pauseMs: busy, open: open(kept) },
    { name: 'think 0.2–1.2 s', scheme: 'https', count: 48, pauseMs: slow, open: open(kept) },
    { name: 'connection per request', scheme: 'https', count: 4, pauseMs: busy, open: open(fresh) },
    { name: 'unary', scheme: 'grpcs', count: 4, pauseMs: busy, open: (url) => grpcPredict(url, { ca }) },
  ];
}

/** Clients of the streaming server. */
export const streamClients: readonly ClientKind[] = [
  { name: 'streams of 10 messages', scheme: 'grpc', count: 8, pauseMs: busy, open: streamCountUp },
];
