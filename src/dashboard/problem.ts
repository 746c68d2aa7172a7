/** What the server refused, or that it could not be asked; its message is for people. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The problem that an answer tells (RFC 9457), or one that says that it tells none. */
export function problemOfAnswer(status: number, body: string): ApiProblem {
  const told = jsonOf(body);
  if (typeof told.detail === 'string' && typeof told.code === 'string') {
    return new ApiProblem(status, told.code, told.detail);
  }
  return new ApiProblem(
    status,
    'ANSWER_UNREADABLE',
    `The server answered with status ${status} and did not say why. Try again; if it stays so, look into its log.`,
  );
}

function jsonOf(text: string): { code?: unknown; detail?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
