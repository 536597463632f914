/** How long each worker takes for a call: one of them is slow. Together they can do 225 calls a second. */
export const WORK_MS = [10, 10, 40] as const;
