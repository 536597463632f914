import { ServeError } from '@bentots/errors';

/** What an error of `execute` means for the members of the batch. */
export type Verdict =
  /** The method ran and failed. */
  | 'failed'
  /** The worker did not start the batch. */
  | 'not_started'
  /** The worker was lost while it ran the batch. */
  | 'lost';

/** What a batch is to {@link runApart}: members that can be executed together and answered one by one. */
export interface Members<M, O> {
  /** Executes some of the members together; one output per member, in order. */
  execute(members: readonly M[]): Promise<readonly O[]>;
  /** Whether somebody still waits for this member. */
  isAwaited(member: M): boolean;
  complete(member: M, output: O): void;
  fail(member: M, error: unknown): void;
  verdictOn(error: unknown): Verdict;
  /** The worker did not start the members: they are to be run by another. */
  giveBack(members: readonly M[], error: unknown): void;
  /** The worker was lost with the members. */
  lose(members: readonly M[], error: unknown): void;
  /** Awaited before each further try: a batch may block the thread, and others must get their turn in between. */
  pause(): Promise<void>;
}

interface Tries {
  failuresLeft: number;
  /** The worker is of no more use; why. */
  gone: { readonly error: unknown } | undefined;
}

/**
 * Executes a batch; when it throws, its halves are tried apart, so that only the guilty member fails. With one guilty
 * member among n that takes about 2·log2(n) more executions; a batch in which everything fails is given up after as many
 * failures, and the rest get the error of the group they were in. A worker that is lost is not tried again: what it
 * had not started is given back.
 *
 * @returns whether the whole batch succeeded at the first try.
 */
export async function runApart<M, O>(members: readonly M[], batch: Members<M, O>): Promise<boolean> {
  const failuresLeft = 2 * Math.ceil(Math.log2(Math.max(members.length, 1))) + 1;
  return runGroup(members, batch, { failuresLeft, gone: undefined });
}

async function runGroup<M, O>(members: readonly M[], batch: Members<M, O>, tries: Tries): Promise<boolean> {
  const group = members.filter((member) => batch.isAwaited(member));
  if (group.length === 0) return true;
  if (tries.gone !== undefined) {
    batch.giveBack(group, tries.gone.error);
    return false;
  }
  try {
    const outputs = await executeChecked(group, batch);
    for (const [index, member] of group.entries()) {
      // The count was checked: `undefined` here is an output, not a hole.
      batch.complete(member, outputs[index] as O);
    }
    return true;
  } catch (error) {
    const verdict = batch.verdictOn(error);
    if (verdict === 'failed') await tryHalves(group, error, batch, tries);
    else {
      tries.gone = { error };
      if (verdict === 'lost') batch.lose(group, error);
      else batch.giveBack(group, error);
    }
    return false;
  }
}

async function tryHalves<M, O>(
  group: readonly M[],
  error: unknown,
  batch: Members<M, O>,
  tries: Tries,
): Promise<void> {
  tries.failuresLeft -= 1;
  if (group.length === 1 || tries.failuresLeft <= 0) {
    for (const member of group) batch.fail(member, error);
    return;
  }
  const middle = Math.ceil(group.length / 2);
  for (const half of [group.slice(0, middle), group.slice(middle)]) {
    await batch.pause();
    await runGroup(half, batch, tries);
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
