export { compileSslOptions, DEFAULT_CIPHERS } from './compile-ssl-options.js';
export type { SslOptions, SslSettings } from './compile-ssl-options.js';
export { guardClientCertificates } from './guard-client-certificates.js';
export { loadTlsOptions } from './load-tls-options.js';
export type { LoadedTls } from './load-tls-options.js';
export { compileClientSsl } from './compile-client-ssl.js';
export type { ClientSslOptions, ClientSslSettings } from './compile-client-ssl.js';
export { loadClientTls } from './load-client-tls.js';
export type { LoadedClientTls } from './load-client-tls.js';
