import { json, Service } from '@bentots/service';

export const svc = new Service('hello').api(
  'hello',
  { input: json<{ name?: string }>({ example: { name: 'Ada' } }), output: json() },
  ({ name = 'world' }) => ({ greeting: `hello ${name}` }),
);
