/** What came of a request; see the README. */
export type Outcome = 'ok' | 'refused' | 'unavailable' | 'lost' | 'wrong' | 'late';

/** Why a request has no right answer. */
export class Failure extends Error {
  constructor(
    readonly outcome: Exclude<Outcome, 'ok'>,
    message: string,
  ) {
    super(message);
    this.name = 'Failure';
  }
}
