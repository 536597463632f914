/** Examples of `bentots ctl`. */
export const CTL_EXAMPLES = `
  $ bentots ctl status
        of the only server of this user; with several: bentots ctl --tree linear status
  $ bentots ctl reload
        replace every worker without losing a request, as SIGHUP does
  $ bentots ctl incr http_api 2
  $ bentots ctl restart runner:matmul 1
  $ bentots ctl events --json | jq .event.type
  $ bentots ctl --tree /run/bentots/linear.sock stop
        a server that was started with --control-socket /run/bentots/linear.sock`;

/** Examples of `bentots top`. */
export const TOP_EXAMPLES = `
  $ bentots top
        q ends it
  $ bentots top --tree 4242 --interval 0.5
  $ bentots top --once | sort -k5 -h`;

/** As below the help of a command. */
export function formatExamples(examples: string): string {
  return `\nExamples:${examples}\n\nWhat there is to say and to know: docs/control.md. Exit codes: bentots --help.`;
}
