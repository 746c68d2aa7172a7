/** A place in the app, as it stands behind the `#` of its address: a path whose segments are encoded, and a query. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Reads the part of an address from the `#` on; what is no path leads to the start page. */
export function readHash(hash: string): Place {
  const text = hash.replace(/^#/, '');
  const at = text.indexOf('?');
  const path = at === -1 ? text : text.slice(0, at);
  return {
    path: path.startsWith('/') ? path : '/',
    query: new URLSearchParams(at === -1 ? '' : text.slice(at + 1)),
  };
}

/** A path with the values of a query; what is empty or null is left out. */
export function withQuery(
  path: string,
  values: Readonly<Record<string, string | number | null | undefined>>,
) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The text of one segment of a path. What is not encoded as it should be is taken as it stands. */
export function segment(encoded: string | undefined): string {
  try {
    return decodeURIComponent(encoded ?? '');
  } catch {
    return encoded ?? '';
  }
}
