// Loads services in a plain Node process, as the workers do: a test runner would load user modules its own way.
// argv[2]: JSON list of [identifier, workingDir]; prints one JSON line for each. argv[3] 'warm': warms up first.
import { inspect } from 'node:util';
import { Service } from '@bentots/service';
import { loadService, warmUpLoader } from '../dist/index.js';

for (const [identifier, workingDir] of JSON.parse(process.argv[2])) {
  if (process.argv[3] === 'warm') await warmUpLoader(identifier, workingDir);
  const line = await loadService(identifier, workingDir).then(
    ({ service, ...place }) => ({ name: service.name, isOurs: service instanceof Service, ...place }),
    ({ code, message, details, cause }) => ({ code, message, details, cause: cause && inspect(cause) }),
  );
  console.log(JSON.stringify(line));
}
