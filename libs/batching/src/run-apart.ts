import { ServeError } from '@bentots/errors';

/** What a batch is to {@link runApart}: members that can be executed together and answered one by one. */
export interface Members<M, O> {
  /** Executes some of the members together; one output per member, in order. */
  execute(members: readonly M[]): Promise<readonly O[]>;
  /** Whether somebody still waits for this member. */
  isAwaited(member: M): boolean;
  complete(member: M, output: O): void;
  fail(member: M, error: unknown): void;
  /** Awaited before each further try: a batch may block the thread, and others must get their turn in between. */
  pause(): Promise<void>;
}

/**
 * Executes a batch; when it throws, its halves are tried apart, so that only the guilty member fails. With one guilty
 * member among n that takes about 2·log2(n) more executions; a batch in which everything fails is given up after as many
 * failures, and the rest get the error of the group they were in.
 *
 * @returns whether the whole batch succeeded at the first try.
 */
export async function runApart<M, O>(members: readonly M[], batch: Members<M, O>): Promise<boolean> {
  const failuresLeft = { count: 2 * Math.ceil(Math.log2(Math.max(members.length, 1))) + 1 };
  return runGroup(members, batch, failuresLeft);
}

async function runGroup<M, O>(
  members: readonly M[],
  batch: Members<M, O>,
  failuresLeft: { count: number },
): Promise<boolean> {
  const group = members.filter((member) => batch.isAwaited(member));
  if (group.length === 0) return true;
  try {
    const outputs = await executeChecked(group, batch);
    for (const [index, member] of group.entries()) {
      // The count was checked: `undefined` here is an output, not a hole.
      batch.complete(member, outputs[index] as O);
    }
    return true;
  } catch (error) {
    failuresLeft.count -= 1;
    if (group.length === 1 || failuresLeft.count <= 0) {
      for (const member of group) batch.fail(member, error);
      return false;
    }
    await batch.pause();
    const middle = Math.ceil(group.length / 2);
    await runGroup(group.slice(0, middle), batch, failuresLeft);
    await batch.pause();
    await runGroup(group.slice(middle), batch, failuresLeft);
    return false;
  }
}

async function executeChecked<M, O>(group: readonly M[], batch: Members<M, O>): Promise<readonly O[]> {
  const outputs = await batch.execute(group);
  if (outputs.length !== group.length) {
    throw new ServeError(
      'internal',
      `a batch of ${group.length} requests was answered with ${outputs.length} outputs; one per request is expected`,
      { details: { requests: group.length, outputs: outputs.length } },
    );
  }
  return outputs;
}
