/** A way in which a system on the other side of HTTP misbehaves. */
export type HttpFault =
  | 'drop_before'
  | 'drop_after'
  | 'error_before'
  | 'error_after'
  | 'garbage'
  | 'not_found'
  | 'hang'
  | 'trickle';

/** What each fault is, and whether the system has done what it was asked. */
export const HTTP_FAULTS: Readonly<Record<HttpFault, { readonly acted: boolean; readonly meaning: string }>> =
  {
    drop_before: { acted: false, meaning: 'the connection is cut after the request was read' },
    drop_after: { acted: true, meaning: 'the connection is cut after the request was carried out' },
    error_before: { acted: false, meaning: 'HTTP 500 is answered and nothing is done' },
    error_after: { acted: true, meaning: 'the request is carried out and its answer comes with HTTP 500' },
    garbage: {
      acted: true,
      meaning: 'the request is carried out and an HTML page is answered with HTTP 200',
    },
    not_found: { acted: false, meaning: 'a gateway answers HTTP 404 with an HTML page' },
    hang: { acted: true, meaning: 'the request is carried out and no answer ever comes' },
    trickle: {
      acted: true,
      meaning: 'the request is carried out and the answer comes byte by byte, without end',
    },
  };

/** The names of all faults. */
export const HTTP_FAULT_NAMES: readonly HttpFault[] = [
  'drop_before',
  'drop_after',
  'error_before',
  'error_after',
  'garbage',
  'not_found',
  'hang',
  'trickle',
];
