import type { RunnerSslConfig, SslConfig } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { RunnerMap } from '@bentots/runner-map';
import { compileClientSsl, compileSslOptions, loadClientTls, loadTlsOptions } from '@bentots/ssl';

/**
 * Reads certificate and key once before any process starts: a wrong file is then one clear error, instead of workers
 * that die one after the other.
 * @throws ServeError invalid_option for a combination that makes no sense, tls_invalid naming the file and the reason
 */
export async function checkTls(ssl: SslConfig | undefined): Promise<void> {
  const settings = compileSslOptions(ssl);
  if (settings !== undefined) await loadTlsOptions(settings);
}

/**
 * The same for what connections to runners are made with.
 * @throws ServeError also when no address of the map is `tcps://`: the options would have no effect
 */
export async function checkRunnerTls(ssl: RunnerSslConfig | undefined, map: RunnerMap): Promise<void> {
  const settings = compileClientSsl(ssl);
  if (settings === undefined) return;
  const isUsed = [...map.values()].some((addresses) => addresses.some(({ kind }) => kind === 'tcps'));
  if (!isUsed) {
    throw new ServeError(
      'invalid_option',
      'the options --runner-ssl-… have no effect: no address of the runner map is tcps://host:port',
    );
  }
  await loadClientTls(settings);
}
