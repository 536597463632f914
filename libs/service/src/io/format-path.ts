/** A path into a value as code would write it: `user.tags[2]`, `["odd key"]`; `the root` when it is empty. */
export function formatPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the root';
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = String(key);
      if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}
