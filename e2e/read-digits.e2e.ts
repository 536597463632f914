import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectGrpc, type GrpcClient, postJson } from './src/clients.js';
import { heldOutDigits, heldOutPictures } from './src/held-out.js';
import { startServer, stopAll } from './src/topology.js';

const bento = 'examples/read-digits';

describe('read-digits, every server a tree of its own, tied by a runner map over TCP', () => {
  let http: string;
  let grpc: GrpcClient;

  beforeAll(async () => {
    const [classifier, segmenter] = await Promise.all(
      ['classifier', 'segmenter'].map((name) =>
        startServer(['start-runner-server', bento, '--runner-name', name]),
      ),
    );
    const map = [
      '--remote-runner',
      `classifier=${classifier!.url}`,
      '--remote-runner',
      `segmenter=${segmenter!.url}`,
    ];
    const [httpServer, grpcServer] = await Promise.all([
      startServer(['start-http-server', bento, '--port', '0', ...map]),
      startServer(['start-grpc-server', bento, '--port', '0', '--metrics-port', '0', ...map]),
    ]);
    http = httpServer.url;
    grpc = connectGrpc(grpcServer.url);
  });

  afterAll(async () => {
    grpc.close();
    await stopAll();
  });

  test('at least 98 % of 300 and more held-out digits are named rightly through HTTP', async () => {
    const { crops, labels } = heldOutDigits();
    expect(labels.length).toBeGreaterThanOrEqual(300);
    const { status, body } = await postJson(`${http}/classify`, crops);
    expect(status).toBe(200);
    const answer = body as { labels: number[]; probabilities: number[][] };
    expect(answer.probabilities[0]).toHaveLength(10);
    expect(share(answer.labels, labels)).toBeGreaterThanOrEqual(0.98);
  });

  test('one by one and concurrently, they are named as in one request', async () => {
    const { crops, labels } = heldOutDigits();
    const answers = await Promise.all(crops.slice(0, 64).map((crop) => postJson(`${http}/classify`, [crop])));
    const named = answers.map(({ body }) => (body as { labels: number[] }).labels[0] ?? -1);
    expect(share(named, labels.slice(0, 64))).toBeGreaterThanOrEqual(0.98);
  });

  test('the same digits are named rightly through gRPC', async () => {
    const { crops, labels } = heldOutDigits();
    const ndarray = { dtype: 'DTYPE_FLOAT', shape: [crops.length, 100], float_values: crops.flat() };
    const answer = await grpc.call('Call', { api_name: 'classify', ndarray });
    expect(share(labelsOf(answer), labels)).toBeGreaterThanOrEqual(0.98);
  });

  test('numbers are read from pictures, through HTTP and through gRPC alike', async () => {
    const pictures = heldOutPictures();
    const overHttp: string[] = [];
    const overGrpc: string[] = [];
    for (const { png } of pictures) {
      const response = await fetch(`${http}/read_number`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(png),
      });
      overHttp.push(((await response.json()) as { number: string }).number);
      const answer = await grpc.call('Call', {
        api_name: 'read_number',
        file: { kind: 'image/png', content: png },
      });
      overGrpc.push((fromValue(answer['json']) as { number: string }).number);
    }
    expect(overGrpc).toEqual(overHttp);
    expect(
      share(
        overHttp,
        pictures.map(({ number }) => number),
      ),
    ).toBeGreaterThanOrEqual(0.95);
  });

  test('a picture without digits is refused with the reason, by both protocols', async () => {
    const { problem, call } = await send(Buffer.from(BLANK_PNG, 'base64'));
    expect(problem).toMatchObject({
      status: 422,
      code: 'unprocessable',
      detail: 'the picture shows no digits',
    });
    await expect(call).rejects.toMatchObject({ code: 9, details: 'the picture shows no digits' });
  });

  test('what is no picture is refused as a wrong input, by both protocols', async () => {
    const { problem, call } = await send(Buffer.from('no picture'));
    expect(problem).toMatchObject({ status: 400, code: 'invalid_argument' });
    await expect(call).rejects.toMatchObject({ code: 3 });
  });

  /** Sends bytes as a PNG through both protocols. */
  async function send(png: Buffer): Promise<{ problem: unknown; call: Promise<unknown> }> {
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${http}/read_number`, {
      method: 'POST',
      headers,
      body: new Uint8Array(png),
    });
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const call = grpc.call('Call', { api_name: 'read_number', file: { kind: 'image/png', content: png } });
    return { problem: await response.json(), call };
  }
});

/** 24 × 24 pixels of paper. */
const BLANK_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAABgAAAAYCAIAAABvFaqvAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAJUlEQVQ4jWN4RyXAMGoQQTAaRoTBaBgRBqNhRBiMhhFhMIzDCACG/kbbXUa/ZAAAAABJRU5ErkJggg==';

/** The share of `got` that equals `wanted`. */
function share<T>(got: readonly T[], wanted: readonly T[]): number {
  return wanted.filter((value, i) => got[i] === value).length / wanted.length;
}

function labelsOf(answer: Record<string, unknown>): number[] {
  return (fromValue(answer['json']) as { labels: number[] }).labels;
}

/** A google.protobuf.Value of proto-loader as the JSON that it stands for. */
function fromValue(value: unknown): unknown {
  const { kind } = value as { kind: string };
  const inner = (value as Record<string, unknown>)[kind];
  if (kind === 'listValue') return ((inner as { values?: unknown[] }).values ?? []).map(fromValue);
  if (kind === 'structValue') {
    const fields = (inner as { fields: Record<string, unknown> }).fields;
    return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fromValue(field)]));
  }
  return kind === 'nullValue' ? null : inner;
}
