// A tree in a process of its own, driven by the test that forked it: events go up, questions come down.
import { Arbiter, handleSignals } from '../dist/index.js';

const plan = JSON.parse(process.argv[2]);
const options = JSON.parse(process.argv[3] ?? '{}');
const sources = new Map();
const retired = new Map();
const metrics = {
  update: (source, snapshot) => sources.set(source, snapshot),
  retire: (source) => {
    for (const { name, value } of sources.get(source)) retired.set(name, (retired.get(name) ?? 0) + value);
    sources.delete(source);
  },
  text: async () => {
    const totals = new Map(retired);
    for (const { name, value } of [...sources.values()].flat())
      totals.set(name, (totals.get(name) ?? 0) + value);
    return [...totals].map(([name, value]) => `${name} ${value}`).join('\n');
  },
};

// Without a parent that reads messages (a terminal, a container), they are printed when that is wanted.
const send = (message) => {
  if (options.print) console.log(JSON.stringify(message));
  else if (process.connected) process.send(message, () => undefined);
};
let nextPlan = plan;
const arbiter = new Arbiter(plan, {
  onEvent: (event) => send({ event, at: performance.timeOrigin + performance.now() }),
  ...(options.metrics ? { metrics } : {}),
  ...(options.listenFds ? { listenFds: options.listenFds } : {}),
  ...(options.replan ? { replan: async () => nextPlan } : {}),
});
handleSignals(arbiter);
process.on('message', ({ ask, args = [], id }) => {
  const answers = {
    status: () => arbiter.status(),
    stop: () => arbiter.stop(),
    reload: () => arbiter.reload(...args),
    restart: () => arbiter.restart(...args),
    setNumProcesses: () => arbiter.setNumProcesses(...args),
    changeNumProcesses: () => arbiter.changeNumProcesses(...args),
    signal: () => arbiter.signal(...args),
    plan: () => void (nextPlan = args[0]),
    throw: () => {
      setTimeout(() => {
        throw new Error('the arbiter has a bug');
      });
    },
  };
  Promise.resolve()
    .then(() => answers[ask]())
    .then(
      (value) => send({ id, value: value ?? null }),
      (error) => send({ id, error: error.message }),
    );
});
const started = arbiter.start().then(
  (sockets) => send({ sockets }),
  (error) => send({ error: error.toJSON() }),
);
const report = await arbiter.done;
send({ report: { ...report, error: report.error?.toJSON() } });
await started;
process.exitCode = report.exitCode;
process.disconnect?.();
