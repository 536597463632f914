import http from 'node:http';
import https from 'node:https';
import { Failure } from './failure.js';

/** POSTs JSON and gives the decoded answer; rejects with a {@link Failure}. */
export function postJson(
  url: string,
  body: unknown,
  agent: http.Agent,
  signal: AbortSignal,
): Promise<unknown> {
  const payload = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => reject(new Failure('lost', `cut: ${error.message}`)));
      response.on('end', () => {
        try {
          resolve(readAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString()));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('error', (error: NodeJS.ErrnoException) => reject(failureOf(error, call.reusedSocket)));
    call.end(payload);
  });
}

function readAnswer(status: number, text: string): unknown {
  if (status === 503) throw new Failure('unavailable', `503 ${text}`);
  if (status !== 200) throw new Failure('wrong', `${status} ${text}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('wrong', `no JSON: ${text}`);
  }
}

function failureOf(error: NodeJS.ErrnoException, reused: boolean): Failure {
  const what = `${error.code ?? error.name} on a ${reused ? 'kept' : 'new'} connection: ${error.message}`;
  return new Failure(error.code === 'ECONNREFUSED' ? 'refused' : 'lost', what);
}
