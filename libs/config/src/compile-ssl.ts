import { resolve } from 'node:path';

import type { RunnerSslConfig, SslConfig } from './config.js';
import type { RunnerSslOptions, TlsOptions } from './options.js';
import type { Values } from './read-values.js';

/** Undefined when no TLS option was given at all; a lone one is kept, and refused by whoever checks the combination. */
export function compileSsl(values: Partial<Values<TlsOptions>>): SslConfig | undefined {
  const ssl: SslConfig = {
    ...(values.sslCertfile && { certfile: resolve(values.sslCertfile) }),
    ...(values.sslKeyfile && { keyfile: resolve(values.sslKeyfile) }),
    ...(values.sslKeyfilePassword && { keyfilePassword: values.sslKeyfilePassword }),
    ...(values.sslCaCerts && { caCerts: resolve(values.sslCaCerts) }),
    ...(values.sslCertReqs && { certReqs: values.sslCertReqs }),
    ...(values.sslVersion && { version: values.sslVersion }),
    ...(values.sslCiphers && { ciphers: values.sslCiphers }),
  };
  return Object.keys(ssl).length === 0 ? undefined : ssl;
}

/** The same for connections to runners. */
export function compileRunnerSsl(values: Values<RunnerSslOptions>): RunnerSslConfig | undefined {
  const ssl: RunnerSslConfig = {
    ...(values.runnerSslCaCerts && { caCerts: resolve(values.runnerSslCaCerts) }),
    ...(values.runnerSslCertfile && { certfile: resolve(values.runnerSslCertfile) }),
    ...(values.runnerSslKeyfile && { keyfile: resolve(values.runnerSslKeyfile) }),
    ...(values.runnerSslKeyfilePassword && { keyfilePassword: values.runnerSslKeyfilePassword }),
    ...(values.runnerSslServerName && { serverName: values.runnerSslServerName }),
  };
  return Object.keys(ssl).length === 0 ? undefined : ssl;
}
