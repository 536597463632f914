import { once } from 'node:events';
import http2 from 'node:http2';
import tls from 'node:tls';
import { ChannelCredentials, status } from '@grpc/grpc-js';
import { json, Service } from '@bentots/service';
import { compileSslOptions, loadTlsOptions, type SslOptions } from '@bentots/ssl';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, createCertificates, type Pair } from '../test/certificates.js';
import { startApi, type StartedApi } from '../test/start-api.js';

const service = new Service('secret').api('echo', { input: json(), output: json() }, (value) => value);
const one = { $case: 'json', value: 1 } as const;

let certificates: Certificates;
beforeAll(async () => {
  certificates = await createCertificates();
});
afterAll(() => certificates.remove());

async function startSecure(options: SslOptions): Promise<StartedApi> {
  const settings = compileSslOptions(options);
  if (settings === undefined) throw new Error('no TLS settings');
  return startApi(service, { tls: { settings, loaded: await loadTlsOptions(settings) } });
}

function credentials(pair?: Pair): ChannelCredentials {
  const root = Buffer.from(certificates.ca.cert);
  if (pair === undefined) return ChannelCredentials.createSsl(root);
  return ChannelCredentials.createSsl(root, Buffer.from(pair.private), Buffer.from(pair.cert));
}

const refused = { code: status.UNAVAILABLE };

describe('TLS', () => {
  test('serves clients that trust the certificate, and no plain ones', async () => {
    const { certfile, keyfile } = certificates.files;
    const api = await startSecure({ certfile, keyfile });
    expect(await api.client(credentials()).call('echo', one)).toEqual(one);
    await expect(api.client().call('echo', one, { deadline: Date.now() + 500 })).rejects.toThrow();
  });

  test('speaks no version below the one that is set', async () => {
    const { certfile, keyfile } = certificates.files;
    const { address } = await startSecure({ certfile, keyfile, version: 'TLSv1.3' });
    const port = Number(address.split(':')[1]);
    const connect = (maxVersion: tls.SecureVersion): Promise<unknown[]> => {
      const socket = tls.connect({
        host: '127.0.0.1',
        port,
        ca: certificates.ca.cert,
        maxVersion,
        ALPNProtocols: ['h2'],
      });
      return once(socket, 'secureConnect').finally(() => socket.destroy());
    };
    await expect(connect('TLSv1.2')).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    await expect(connect('TLSv1.3')).resolves.toEqual([]);
  });
});

describe('mutual TLS, with an authority for clients', () => {
  test('serves a client that shows a certificate of the authority', async () => {
    const api = await startSecure(certificates.files);
    expect(await api.client(credentials(certificates.client)).call('echo', one)).toEqual(one);
  });

  test('refuses a client without a certificate, and one of another authority', async () => {
    const api = await startSecure(certificates.files);
    await expect(api.client(credentials()).call('echo', one)).rejects.toMatchObject(refused);
    const stranger = credentials(certificates.stranger);
    await expect(api.client(stranger).call('echo', one)).rejects.toMatchObject(refused);
    expect(api.ends).toEqual([]);
  });

  test("'optional' lets a client without a certificate in, and refuses one of another authority", async () => {
    const api = await startSecure({ ...certificates.files, certReqs: 'optional' });
    expect(await api.client(credentials()).call('echo', one)).toEqual(one);
    const stranger = credentials(certificates.stranger);
    await expect(api.client(stranger).call('echo', one)).rejects.toMatchObject(refused);
  });
});

test('drains TLS connections like plain ones', async () => {
  const api = await startSecure(certificates.files);
  const client = api.client(credentials(certificates.client));
  expect(await client.call('echo', one)).toEqual(one);
  const startMs = performance.now();
  await api.api.drain(new AbortController().signal);
  expect(performance.now() - startMs).toBeLessThan(900);
});

test('more streams than allowed wait in the client instead of reaching the server', async () => {
  const { address } = await startApi(service, { maxConcurrentStreams: 3 });
  const session = http2.connect(`http://${address}`);
  const [settings] = await once(session, 'remoteSettings');
  session.destroy();
  expect(settings).toMatchObject({ maxConcurrentStreams: 3 });
});

test('channelz tells about the server when it is asked for, and is unknown otherwise', async () => {
  const path = '/grpc.channelz.v1.Channelz/GetServers';
  const ask = (api: StartedApi): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const same = (bytes: Buffer): Buffer => bytes;
      const { client } = api.client();
      client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, value) =>
        value === undefined ? reject(error) : resolve(value),
      );
    });
  const withIt = await startApi(service, { channelz: true });
  expect((await ask(withIt)).length).toBeGreaterThan(0);
  const without = await startApi(service);
  await expect(ask(without)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
});
