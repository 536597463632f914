import { json, Service } from '@bentots/service';

export const svc = new Service('broken').api('hello', { input: json(), output: json() }, () => null);
