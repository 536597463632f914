/** Shown below the help of all commands together. */
export const PROGRAM_HELP = `
Examples:
  $ bentots serve examples/linear
        everything on this machine: runners, HTTP on 3000, gRPC on 50051
  $ bentots start-runner-server examples/linear --runner-name matmul --port 4001
  $ bentots start-http-server examples/linear --remote-runner matmul=tcp://127.0.0.1:4001
        the same in parts, which may be on different machines
  $ bentots serve examples/linear --dry-run
        print what would be started, as JSON
  $ bentots top
        watch it; bentots ctl --help tells how to steer it

Every option can also be given by the environment variable in brackets; a flag wins over it.

Exit codes: 0 stopped as asked · 1 unexpected error · 2 wrong option or flag · 3 service cannot be loaded ·
  4 runner or runner map · 5 address in use or not available · 6 TLS · 7 worker not ready · 8 crash loop ·
  130 forced by a second signal`;

const EXAMPLES = {
  serve: `
  $ bentots serve
        the project in the current directory
  $ bentots serve examples/hello --reload
        the same while it is being written: saving a file is enough
  $ bentots serve examples/read-digits --port 8080 --no-grpc --api-workers 2
  $ bentots serve service.ts:svc --ssl-certfile cert.pem --ssl-keyfile key.pem`,
  'start-http-server': `
  $ bentots start-http-server . --remote-runner matmul=tcp://127.0.0.1:4001
  $ bentots start-http-server . --remote-runner a=tcp://10.0.0.1:4001,tcp://10.0.0.2:4001 --remote-runner b=unix:///run/b.sock
        two replicas of a, and b on this machine
  $ bentots start-http-server . --runner-map '{"matmul":"tcp://127.0.0.1:4001"}'
  $ bentots start-http-server . --runner-map runners.json
  $ bentots start-http-server . --remote-runner matmul=tcps://runner.lan:4001 --runner-ssl-ca-certs ca.pem
        over TLS, to a runner whose certificate is of this authority`,
  'start-grpc-server': `
  $ bentots start-grpc-server . --remote-runner matmul=tcp://127.0.0.1:4001 --port 50051 --metrics-port 3001
  $ BENTOTS_SERVE_RUNNER_MAP=@runners.json bentots start-grpc-server`,
  'start-runner-server': `
  $ bentots start-runner-server . --runner-name matmul
        on a free port of this machine; the log tells which
  $ bentots start-runner-server . --runner-name matmul --host 0.0.0.0 --port 4001
        for API servers elsewhere: everyone who reaches the port can use the runner
  $ bentots start-runner-server . --runner-name matmul --host 0.0.0.0 --port 4001 \\
      --ssl-certfile cert.pem --ssl-keyfile key.pem --ssl-ca-certs clients.pem
        over TLS, and only for API servers with a certificate of these authorities`,
} as const;

/** The commands. */
export type CommandName = keyof typeof EXAMPLES;

/** Shown below the help of one command. */
export function formatCommandHelp(name: CommandName): string {
  return `\nExamples:${EXAMPLES[name]}\n\nA flag wins over the environment variable in brackets. Exit codes: bentots --help.`;
}

/** Shown after a mistake in the flags. */
export function formatHelpHint(name?: string): string {
  return `(bentots ${name === undefined ? '' : `${name} `}--help tells what there is)`;
}
