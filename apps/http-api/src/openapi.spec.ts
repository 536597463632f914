import { createConfig, lintFromString } from '@redocly/openapi-core';
import {
  batchable,
  createRunner,
  file,
  image,
  json,
  multipart,
  Service,
  type Tensor,
  tensor,
  text,
} from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { post, startEdge } from '../test/edge.js';
import { describeOpenApi } from './openapi.js';

class Classifier {
  static readonly methods = { classify: batchable() };
  classify(rows: Tensor): Tensor {
    return rows;
  }
}

function everything(): Service {
  const runners = [createRunner(Classifier, { name: 'classifier' })];
  const fields = { page: file(), about: json() };
  return new Service('demo', { version: '1.2', description: 'Shows everything.', runners })
    .api('classify', { input: tensor({ shape: [-1, 4] }), output: json(), description: 'Rows.' }, () => null)
    .api('read', { input: image(), output: text(), route: 'v1/read' }, () => 'seven')
    .api('sign', { input: multipart({ fields }), output: multipart({ fields }) }, (value) => value)
    .api('keep', { input: file(), output: file() }, (value) => value)
    .api('say', { input: text(), output: tensor() }, () => {
      throw new Error('never called');
    });
}

function describeAll(service: Service): object {
  return describeOpenApi({ service, hasConcurrencyLimit: true, hasMetrics: true });
}

describe('the OpenAPI document', () => {
  test.each([
    ['of every descriptor', everything()],
    ['of a service without APIs', new Service('empty')],
  ])('%s has nothing to complain about for a linter', async (_, service) => {
    // Which licence a service has is not known to its server, and none may be made up.
    const config = await createConfig({ extends: ['recommended'], rules: { 'info-license': 'off' } });
    const source = JSON.stringify(describeAll(service));
    const problems = await lintFromString({ source, absoluteRef: 'docs.json', config });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  });

  test('has what clients need that configure themselves from it', () => {
    const document = describeAll(everything());
    expect(document).toMatchObject({
      openapi: '3.0.3',
      info: { title: 'demo', version: '1.2' },
      paths: {
        '/classify': {
          post: {
            tags: ['Service APIs'],
            operationId: 'demo__classify',
            'x-bentoml-name': 'classify',
            description: 'Rows.',
            requestBody: { 'x-bentoml-io-descriptor': { id: 'bentoml.io.NumpyNdarray' } },
            responses: {
              '200': {
                'x-bentoml-io-descriptor': { id: 'bentoml.io.JSON' },
                headers: { 'server-timing': { schema: { type: 'string' } } },
              },
            },
          },
        },
        '/v1/read': { post: { 'x-bentoml-name': 'read' } },
        '/sign': {
          post: {
            requestBody: {
              content: {
                'multipart/form-data': {
                  schema: { required: ['page', 'about'] },
                  encoding: { about: { contentType: 'application/json' } },
                },
              },
            },
          },
        },
        '/livez': { get: { tags: ['Infrastructure'] } },
      },
    });
  });

  test('declares refusals for concurrency and metrics only where they exist', () => {
    const service = new Service('demo').api('say', { input: text(), output: text() }, (words) => words);
    const narrow = describeOpenApi({ service, hasConcurrencyLimit: false, hasMetrics: false });
    expect(narrow).not.toHaveProperty(['paths', '/say', 'post', 'responses', '429']);
    expect(narrow).not.toHaveProperty(['paths', '/metrics']);
    expect(describeAll(service)).toHaveProperty(['paths', '/say', 'post', 'responses', '429']);
    expect(describeAll(service)).toHaveProperty(['paths', '/metrics']);
  });

  test('is true of a refusal: the body has what the schema requires, under the declared type', async () => {
    const service = new Service('demo').api('say', { input: json(), output: json() }, (value) => value);
    const edge = await startEdge(service);
    const response = await post(`${edge.url}/say`, {}, { 'x-request-timeout': 'soon' });
    const document: unknown = await (await fetch(`${edge.url}/docs.json`)).json();
    const schema = { $ref: '#/components/schemas/Problem' };
    const [type] = response.headers.get('content-type')?.split(';') ?? [];
    const declared = { [String(response.status)]: { content: { [String(type)]: { schema } } } };
    expect(document).toMatchObject({ paths: { '/say': { post: { responses: declared } } } });
    const required = ['type', 'title', 'status', 'detail', 'code'];
    expect(document).toHaveProperty(['components', 'schemas', 'Problem', 'required'], required);
    expect(Object.keys(Object(await response.json()))).toEqual(expect.arrayContaining(required));
  });
});
