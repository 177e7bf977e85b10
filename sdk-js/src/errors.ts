/**
 * What can go wrong, each with the HTTP status to answer and a stable code.
 *
 * The codes are those of the platform's Python SDK. Nothing internal is in a `detail`: it reaches the caller.
 */

/** One field of a body that was refused: its dotted path, a stable code, a sentence for people. */
export interface FieldError {
  readonly field: string
  readonly code: string
  readonly message: string
}

/** The root of everything that this SDK throws on purpose. */
export class TochkaError extends Error {
  readonly status: number
  readonly code: string
  readonly errors: readonly FieldError[]

  constructor(status: number, code: string, detail: string, errors: readonly FieldError[] = []) {
    super(detail)
    this.name = new.target.name
    this.status = status
    this.code = code
    this.errors = errors
  }

  /** As RFC 9457 has it. */
  toProblem(): Record<string, unknown> {
    const fields = this.errors.map((error) => ({ ...error, location: "body" }))
    return {
      type: `urn:tochka:problem:${this.code}`,
      title: TITLES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(fields.length > 0 ? { errors: fields } : {}),
    }
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
}

/** 401: the request does not prove that it comes from the platform. */
export class SignatureInvalid extends TochkaError {
  constructor(detail: string) {
    super(401, "webhooks.signature_invalid", detail)
  }
}

/** 400: it is genuine, but not an event of the contract. */
export class EventInvalid extends TochkaError {
  constructor(detail: string, errors: readonly FieldError[] = []) {
    super(400, "events.invalid", detail, errors)
  }
}

/** 422: the event is genuine, but meant for another receiver. */
export class MisdirectedEvent extends TochkaError {
  constructor(detail = "The event is meant for another receiver.") {
    super(422, "events.misdirected", detail)
  }
}

/**
 * 503: the platform gives out numbers anew that it had given out before, as it does when it was restored from a backup.
 *
 * Nothing is taken for a repetition then that is none: the platform goes on trying until `Inbox.setBack` was called.
 */
export class StreamSetBack extends TochkaError {
  readonly tenantId: string
  readonly sequence: number

  constructor(tenantId: string, sequence: number) {
    super(503, "streams.set_back", "An event of another id had this place before: the platform counts anew.")
    this.tenantId = tenantId
    this.sequence = sequence
  }
}

/** 413: more bytes than an event may have. */
export class TooLarge extends TochkaError {
  constructor(detail: string) {
    super(413, "request.too_large", detail)
  }
}

/**
 * A handler's final no, which the platform does not ask again about: 409 or 422.
 *
 * Its effect is rolled back, the answer is remembered. `code` is stable, like "guestbook.full"; `detail` is one
 * sentence that the owner reads.
 */
export class Refusal extends TochkaError {
  constructor(status: 409 | 422, code: string, detail: string) {
    super(status, code, detail, [])
  }
}

/** 503: the platform did not answer, or not as expected. */
export class CoreUnavailable extends TochkaError {
  constructor(detail = "The platform does not answer at the moment.") {
    super(503, "core.unavailable", detail)
  }
}

/** 409: the platform's final no, for example to a `ready` that came after the deadline. */
export class CoreRefused extends TochkaError {
  constructor(detail: string) {
    super(409, "core.refused", detail)
  }
}
