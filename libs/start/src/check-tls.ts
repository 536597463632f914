import type { SslConfig } from '@bentots/config';
import { compileSslOptions, loadTlsOptions } from '@bentots/ssl';

/**
 * Reads certificate and key once before any process starts: a wrong file is then one clear error, instead of workers
 * that die one after the other.
 * @throws ServeError invalid_option for a combination that makes no sense, tls_invalid naming the file and the reason
 */
export async function checkTls(ssl: SslConfig | undefined): Promise<void> {
  const settings = compileSslOptions(ssl);
  if (settings !== undefined) await loadTlsOptions(settings);
}
