import { grpcPredict, httpPredict, type LoadOptions } from '@bentots/load';
import { findPort, type TreeSpec } from './tree.js';

const linear = 'examples/linear';

/** The whole house: runner, HTTP and gRPC servers apart and tied by a runner map, and beside them `serve`. */
export interface House {
  readonly specs: readonly TreeSpec[];
  /** Clients of its trees; the name of each begins with that of its tree. */
  readonly loads: readonly LoadOptions[];
}

/** Plans the house on ports that are free now. */
export async function planHouse(): Promise<House> {
  const [runner, http, grpc, metrics, all, allGrpc] = await Promise.all(Array.from({ length: 6 }, findPort));
  const url = (port: number | undefined): string => `http://127.0.0.1:${port}`;
  const map = ['--remote-runner', `matmul=tcp://127.0.0.1:${runner}`];
  const specs: TreeSpec[] = [
    {
      name: 'runner',
      args: ['start-runner-server', linear, '--runner-name', 'matmul', '--port', `${runner}`],
      watchers: { 'runner:matmul': 1, 'dispatcher:matmul': 1 },
      feeds: ['http', 'grpc'],
      metricsUrl: `${url(runner)}/metrics`,
    },
    {
      name: 'http',
      args: ['start-http-server', linear, ...map, '--port', `${http}`, '--api-workers', '2'],
      watchers: { http_api: 2 },
      feeds: [],
      metricsUrl: `${url(http)}/metrics`,
    },
    {
      name: 'grpc',
      args: [
        ...['start-grpc-server', linear, ...map, '--port', `${grpc}`, '--metrics-port', `${metrics}`],
        ...['--api-workers', '2'],
      ],
      watchers: { grpc_api: 2 },
      feeds: [],
      metricsUrl: `${url(metrics)}/metrics`,
    },
    {
      name: 'serve',
      args: ['serve', linear, '--port', `${all}`, '--grpc-port', `${allGrpc}`, '--api-workers', '1'],
      watchers: { 'runner:matmul': 1, 'dispatcher:matmul': 1, http_api: 1, grpc_api: 1 },
      feeds: [],
      metricsUrl: `${url(all)}/metrics`,
    },
  ];
  return {
    specs,
    loads: [
      ...listLoads('http', url(http)),
      ...listLoads('grpc', undefined, url(grpc)),
      ...listLoads('serve', url(all), url(allGrpc)),
    ],
  };
}

/** Of each protocol clients that are busy and clients that think; they leave the machine time to start processes. */
function listLoads(tree: string, http?: string, grpc?: string): LoadOptions[] {
  const kept = { keepAlive: true };
  const fresh = { keepAlive: false };
  const overHttp = (url: string): LoadOptions[] => [
    { name: `${tree}: http keep-alive`, clients: 3, pauseMs: [5, 25], open: () => httpPredict(url, kept) },
    { name: `${tree}: http think`, clients: 8, pauseMs: [50, 900], open: () => httpPredict(url, kept) },
    { name: `${tree}: http fresh`, clients: 2, pauseMs: [10, 50], open: () => httpPredict(url, fresh) },
  ];
  const overGrpc = (url: string): LoadOptions[] => [
    {
      name: `${tree}: grpc`,
      clients: 3,
      pauseMs: [5, 25],
      open: () => grpcPredict(url, { backOffMs: 1000 }),
    },
    {
      name: `${tree}: grpc think`,
      clients: 4,
      pauseMs: [50, 900],
      open: () => grpcPredict(url, { backOffMs: 1000 }),
    },
  ];
  return [...(http === undefined ? [] : overHttp(http)), ...(grpc === undefined ? [] : overGrpc(grpc))];
}
