// Loads services in a plain Node process, as the workers do: a test runner would load user modules its own way.
// argv[2]: JSON list of [identifier, workingDir]; prints one JSON line for each.
import { inspect } from 'node:util';
import { Service } from '@bentots/service';
import { loadService } from '../dist/index.js';

for (const [identifier, workingDir] of JSON.parse(process.argv[2])) {
  const line = await loadService(identifier, workingDir).then(
    ({ service, ...place }) => ({ name: service.name, isOurs: service instanceof Service, ...place }),
    ({ code, message, details, cause }) => ({ code, message, details, cause: cause && inspect(cause) }),
  );
  console.log(JSON.stringify(line));
}
