import { fileURLToPath } from 'node:url';
import { Load, type Mishap, type Tally } from '@bentots/load';
import type { AcceptMode } from '@bentots/supervisor';
import type { Certificate } from './certificate.js';
import { type ClientKind, createTlsClients, plainClients, streamClients } from './clients.js';
import { asShipped, type EdgeAccept, startCommand, startPlan, startPlanned } from './start-tree.js';
import type { Tree } from './tree.js';

/** What happens to the tree while its clients ask. */
export type Disturbance = 'reload' | 'stop';

/** What the clients of one kind saw of one disturbance, in one run. */
export interface DrainSample {
  readonly scheme: string;
  readonly clients: string;
  readonly accept: AcceptMode;
  readonly disturbance: Disturbance;
  readonly run: number;
  readonly tally: Tally;
  /** What went wrong: all that is not answered, but the clean refusals of a server that stops. */
  readonly mishaps: readonly string[];
}

/** A tree with its clients. */
export interface Topology {
  readonly name: string;
  readonly accept: EdgeAccept;
  start(): Promise<Tree>;
  readonly clients: readonly ClientKind[];
}

const linear = ['serve', 'examples/linear', '--api-workers', '2', '--grpc-port', '0'];
const swapped: EdgeAccept = { http: 'shared', grpc: 'shared' };
const streamWorker = fileURLToPath(new URL('./stream-worker.ts', import.meta.url));

/** Everything that is disturbed: the command as it is, the same with the other ways of accepting, and streams. */
export function listTopologies({ ca, flags }: Certificate): readonly Topology[] {
  const secure = [...linear, ...flags];
  const tls = createTlsClients(ca);
  return [
    { name: 'serve', accept: asShipped, start: () => startCommand(linear), clients: plainClients },
    { name: 'serve, TLS', accept: asShipped, start: () => startCommand(secure), clients: tls },
    { name: 'swapped', accept: swapped, start: () => startPlanned(linear, swapped), clients: plainClients },
    { name: 'swapped, TLS', accept: swapped, start: () => startPlanned(secure, swapped), clients: tls },
    { name: 'streams', accept: asShipped, start: () => startStreams(asShipped), clients: streamClients },
    { name: 'streams, swapped', accept: swapped, start: () => startStreams(swapped), clients: streamClients },
  ];
}

function startStreams({ grpc: accept }: EdgeAccept): Promise<Tree> {
  return startPlan({
    name: 'streams',
    sockets: [{ name: 'grpc', accept }],
    watchers: [
      {
        name: 'streams',
        entry: streamWorker,
        nodeArgs: ['--import', 'tsx'],
        numProcesses: 2,
        sockets: ['grpc'],
      },
    ],
  });
}

/** One run: the tree starts, is reloaded under load, and is stopped under load. `least`: right answers before each. */
export async function disturb(topology: Topology, run: number, least: number): Promise<DrainSample[]> {
  const tree = await topology.start();
  const mishaps: Mishap[] = [];
  const loads = await Promise.all(
    topology.clients.map(async (kind) => ({ kind, load: await startLoad(tree, kind, mishaps) })),
  );
  const allAnswered = (count: number): Promise<unknown> =>
    Promise.race([
      Promise.all(loads.map(({ load }) => load.answered(count))),
      // A tree that dies answers nobody for ever.
      tree.exited.then((code) => Promise.reject(new Error(`the tree ended with ${code}:\n${tree.output}`))),
    ]);
  const cut = (disturbance: Disturbance): DrainSample[] => {
    const seen = mishaps.splice(0);
    return loads.map(({ kind, load }) => ({
      scheme: kind.scheme,
      clients: kind.name,
      accept: topology.accept[kind.scheme.startsWith('http') ? 'http' : 'grpc'],
      disturbance,
      run,
      tally: load.cut(),
      mishaps: seen
        .filter((one) => one.load === load.name && !isClean(one, disturbance))
        .map(({ outcome, message }) => `${outcome}: ${message}`)
        .slice(0, 10),
    }));
  };

  await allAnswered(least);
  const from = tree.lineCount;
  tree.signal('SIGHUP');
  await tree.printed(/tree is reloading/, from);
  await tree.printed(/tree is running/, from);
  if (/reload failed/.test(tree.output)) throw new Error(`the reload failed:\n${tree.output}`);
  await allAnswered(least);
  const reloaded = cut('reload');

  await allAnswered(least);
  const code = await tree.stop();
  if (code !== 0) throw new Error(`the tree ended with ${code}:\n${tree.output}`);
  await Promise.all(loads.map(({ load }) => load.allRefused()));
  return [...reloaded, ...cut('stop')];
}

/** While a server stops, being refused is a clean answer. */
function isClean({ outcome }: Mishap, disturbance: Disturbance): boolean {
  return disturbance === 'stop' && (outcome === 'refused' || outcome === 'unavailable');
}

async function startLoad(tree: Tree, kind: ClientKind, mishaps: Mishap[]): Promise<Load> {
  const url = await tree.url(kind.scheme);
  return new Load({
    name: `${kind.scheme} ${kind.name}`,
    clients: kind.count,
    pauseMs: kind.pauseMs,
    open: () => kind.open(url),
    endWhenRefused: true,
    onMishap: (mishap) => mishaps.push(mishap),
  });
}
