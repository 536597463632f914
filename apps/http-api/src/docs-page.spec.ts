import { Service, text } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { startEdge } from '../test/edge.js';

const service = () => new Service('demo').api('say', { input: text(), output: text() }, (words) => words);

describe('the page', () => {
  test('loads nothing but what this server has', async () => {
    const edge = await startEdge(service());
    const page = await fetch(`${edge.url}/`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/https?:|\/\//);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const response = await fetch(`${edge.url}/${file}`);
      expect([file, response.status]).toEqual([file, 200]);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  });

  test('has no inline script, which its policy would forbid', async () => {
    const html = await (await fetch(`${(await startEdge(service())).url}/`)).text();
    expect(html).not.toMatch(/<script>/);
  });

  test('asks no validator elsewhere', async () => {
    const edge = await startEdge(service());
    const script = await (await fetch(`${edge.url}/static_content/start-page.js`)).text();
    expect(script).toContain('validatorUrl: null');
    expect(script).toContain("url: 'docs.json'");
  });

  test.each([
    ['swagger-ui.css', 'text/css; charset=utf-8'],
    ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['favicon-32x32.png', 'image/png'],
  ])('has %s as %s', async (name, type) => {
    const edge = await startEdge(service());
    const response = await fetch(`${edge.url}/static_content/${name}`);
    expect(response.headers.get('content-type')).toBe(type);
    await response.arrayBuffer();
  });

  test.each(['package.json', '..%2fpackage.json', 'index.html', ''])('has no file %j', async (name) => {
    const edge = await startEdge(service());
    const response = await fetch(`${edge.url}/static_content/${name}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });
});

test('docs.json is JSON', async () => {
  const edge = await startEdge(service());
  const response = await fetch(`${edge.url}/docs.json`);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await response.json()).toHaveProperty(['paths', '/say', 'post']);
});
