/**
 * What can go wrong between the panel and the core:
 *
 *   Error
 *   ├── ApiError        the core answered with a problem (RFC 9457); `code` is stable, `slice.fact`
 *   ├── ConnectionLost  no answer: offline, refused, reset
 *   └── TimedOut        no answer within the time allowed
 */
export interface FieldProblem {
  field: string
  message: string
  /** Stable, too; `password_common`, say. */
  code?: string
}

/** The members of a problem document that the panel reads; some problems bring more. */
interface Problem {
  title: string
  detail: string
  code: string
  request_id: string
  errors: FieldProblem[]
}

export class ApiError extends Error {
  override readonly name = "ApiError"
  readonly status: number
  /** `slice.fact`, or `http.<status>` when the answer was not a problem document (a proxy's page, say). */
  readonly code: string
  readonly detail: string
  readonly requestId: string | null
  readonly fields: readonly FieldProblem[]
  /** What this problem brings beside the common members, such as `tries_left`. */
  readonly extra: Readonly<Record<string, unknown>>
  /** Seconds the server asked us to wait, when it did. */
  readonly retryAfter: number | null

  constructor(response: Response, body: Readonly<Record<string, unknown>>) {
    const problem = pickProblem(body)
    const code = problem.code ?? `http.${response.status}`
    super(problem.detail ?? problem.title ?? code)
    this.status = response.status
    this.code = code
    this.detail = problem.detail ?? ""
    this.requestId = problem.request_id ?? response.headers.get("X-Request-ID")
    this.fields = problem.errors ?? []
    this.extra = body
    this.retryAfter = secondsOf(response.headers.get("Retry-After"))
  }
}

export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"
}

export class TimedOut extends Error {
  override readonly name = "TimedOut"
}

/** Reads the problem out of a refusal; never throws, whatever the body is. */
export async function toApiError(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  return new ApiError(response, isRecord(body) ? body : {})
}

export function isApiError(error: unknown, ...codes: string[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code))
}

function pickProblem(body: Readonly<Record<string, unknown>>): Partial<Problem> {
  const problem: Partial<Problem> = {}
  for (const key of ["code", "title", "detail", "request_id"] as const) {
    const value = body[key]
    if (typeof value === "string" && value !== "") problem[key] = value
  }
  if (Array.isArray(body["errors"])) problem.errors = body["errors"].filter(isFieldProblem)
  return problem
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return isRecord(value) && typeof value["field"] === "string" && typeof value["message"] === "string"
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function secondsOf(header: string | null): number | null {
  if (header === null || header.trim() === "") return null
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const moment = Date.parse(header)
  return Number.isNaN(moment) ? null : Math.max(0, (moment - Date.now()) / 1000)
}
