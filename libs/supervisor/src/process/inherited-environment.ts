/** Variables as plain data. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Said to this process alone: which descriptors it was given. A child that believed it would take others for them. */
const OWN = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/** The variables that children get from this process; no setting is read here. */
export function inheritedEnvironment(): Variables {
  // eslint-disable-next-line no-restricted-properties -- handed on as a whole
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.includes(name)));
}
