import { readFile, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ServeError } from '@bentots/errors';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type Identifier, parseIdentifier } from './identifier.js';
import { EXTENSIONS, findModuleFile, findWithExtension, kindOfPath } from './module-file.js';

/** The file that makes a folder a project directory. */
export const PROJECT_FILE = 'bentofile.yaml';

/** What `bentofile.yaml` may hold. */
export interface ProjectConfig {
  /** Where the service is, seen from the project directory: `service.ts:svc`. Default: `service.ts`, `service.js`, … */
  readonly service?: string | undefined;
  readonly description?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Where a service is to be found: a module file, the name of the export, and the directory all is relative to. */
export interface ServiceLocation {
  readonly file: string;
  readonly attribute: readonly string[] | undefined;
  readonly workingDir: string;
}

const projectSchema = z
  .strictObject({
    service: z.string().min(1),
    description: z.string(),
    labels: z.record(z.string(), z.coerce.string()),
  })
  .partial();

/**
 * The service of a project directory: what its `bentofile.yaml` names, else its `service.ts`, `service.js`, …
 * `undefined` when it has neither. The directory becomes the working directory.
 *
 * @throws ServeError `invalid_config` for a wrong `bentofile.yaml`; `service_not_found` when what it names is missing.
 */
export async function findInProjectDir(
  directory: string,
  attribute: Identifier['attribute'],
): Promise<ServiceLocation | undefined> {
  const workingDir = await realpath(directory);
  const config = await readProjectConfig(workingDir);
  if (config?.service !== undefined) {
    const named = parseProjectService(config.service, workingDir);
    const file = await findModuleFile(named.module, workingDir);
    return { file, attribute: attribute ?? named.attribute, workingDir };
  }
  const standard = await findWithExtension(join(workingDir, 'service'));
  if (standard === undefined) return undefined;
  const file = await findModuleFile(relative(workingDir, standard), workingDir);
  return { file, attribute, workingDir };
}

/** Says that `directory` is no project, and what would make it one. */
export function refuseProjectDir(directory: string): never {
  const names = EXTENSIONS.map((extension) => `service${extension}`).join(', ');
  throw new ServeError(
    'service_not_found',
    `directory ${directory} holds no service; expected ${PROJECT_FILE} with a line 'service: module:attribute', or one of ${names}`,
    { details: { directory } },
  );
}

async function readProjectConfig(directory: string): Promise<ProjectConfig | undefined> {
  const path = join(directory, PROJECT_FILE);
  if ((await kindOfPath(path)) !== 'file') return undefined;
  const lines = new LineCounter();
  const document = parseDocument(await readFile(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw refuseConfig(path, `line ${line}, column ${col}: ${problem.message}`);
  }
  const parsed = projectSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `entry '${issue.path.join('.')}': ` : '';
  throw refuseConfig(
    path,
    `${where}${issue?.message ?? 'not valid'}; known entries are service, description, labels`,
  );
}

function parseProjectService(text: string, directory: string): Identifier {
  try {
    return parseIdentifier(text);
  } catch (error) {
    const { message } = ServeError.from(error);
    throw refuseConfig(join(directory, PROJECT_FILE), `entry 'service': ${message}`);
  }
}

function refuseConfig(path: string, reason: string): ServeError {
  return new ServeError('invalid_config', `${path} is not valid: ${reason}`, { details: { file: path } });
}
