import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file of the page. */
export interface Asset {
  readonly contentType: string;
  readonly bytes: Buffer | string;
}

/** The browser itself keeps the page from loading or calling anything that is not this server's. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'";

/** All addresses are relative, so that the page also works behind a proxy that adds a prefix. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>BentoTS service</title>
    <link rel="icon" type="image/png" href="static_content/favicon-32x32.png">
    <link rel="stylesheet" href="static_content/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="static_content/swagger-ui-bundle.js"></script>
    <script src="static_content/start-page.js"></script>
  </body>
</html>
`;

/** A file of its own, as the policy forbids scripts within the page. No validator: that would be a foreign server. */
const START_PAGE = `window.ui = SwaggerUIBundle({
  url: 'docs.json',
  dom_id: '#swagger-ui',
  validatorUrl: null,
  tryItOutEnabled: true,
});
`;

const SCRIPT = 'text/javascript; charset=utf-8';

/** The only files there are: a list, so that no path of a client's ever reaches the file system. */
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', SCRIPT],
  ['favicon-32x32.png', 'image/png'],
]);

/** A file of the page by name; undefined when the page has none of this name. */
export async function readAsset(name: string): Promise<Asset | undefined> {
  if (name === 'start-page.js') return { contentType: SCRIPT, bytes: START_PAGE };
  const contentType = CONTENT_TYPES.get(name);
  if (contentType === undefined) return undefined;
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return { contentType, bytes: await readFile(join(folder, name)) };
}
