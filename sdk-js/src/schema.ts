/** Checks a value against a JSON Schema: the keywords that the platform's models use. */
import type { FieldError } from "./errors.ts"

/** A JSON Schema as far as it is checked here; the generator of `events.ts` refuses any other keyword. */
export interface Schema {
  readonly type?: string
  readonly format?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minItems?: number
  readonly maxItems?: number
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const MOMENT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/

/**
 * The value with defaults for what was left out, and what is wrong with it: nothing, if it fits.
 *
 * Members that the schema does not name are kept, so that the platform may add some. Integers beyond 2^53 are
 * refused: JavaScript would change them.
 */
export function check(schema: Schema, value: unknown): { value: unknown; errors: FieldError[] } {
  const errors: FieldError[] = []
  return { value: checked(schema, value, "", errors), errors }
}

function checked(schema: Schema, value: unknown, field: string, errors: FieldError[]): unknown {
  if (schema.anyOf) return anyOf(schema.anyOf, value, field, errors)
  const wrong = wrongness(schema, value)
  if (wrong) {
    errors.push({ field, code: wrong[0], message: wrong[1] })
    return value
  }
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.map((one: unknown, index) => checked(items, one, inside(field, String(index)), errors)) : value
  }
  return isObject(value) ? members(schema, value, field, errors) : value
}

function anyOf(schemas: readonly Schema[], value: unknown, field: string, errors: FieldError[]): unknown {
  for (const one of schemas) {
    const found: FieldError[] = []
    const fitting = checked(one, value, field, found)
    if (found.length === 0) return fitting
  }
  errors.push({ field, code: "union", message: "It is none of what it may be." })
  return value
}

function members(schema: Schema, value: Record<string, unknown>, field: string, errors: FieldError[]): unknown {
  const whole: Record<string, unknown> = { ...value }
  const { additionalProperties: others } = schema
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    if (Object.hasOwn(value, key)) whole[key] = checked(member, value[key], inside(field, key), errors)
    else if (schema.required?.includes(key)) errors.push({ field: inside(field, key), code: "missing", message: "It is missing." })
    else if (member.default !== undefined) whole[key] = member.default
  }
  if (typeof others === "object") {
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(schema.properties ?? {}, key)) whole[key] = checked(others, value[key], inside(field, key), errors)
    }
  }
  return whole
}

function wrongness(schema: Schema, value: unknown): [code: string, message: string] | null {
  if (schema.type !== undefined && !isOfType(schema.type, value)) return [`${schema.type}_type`, `It is no ${schema.type}.`]
  if (schema.const !== undefined && value !== schema.const) return ["const", "It is not what it must be."]
  if (schema.enum && !schema.enum.includes(value)) return ["enum", "It is none of the known words."]
  if (typeof value === "string") return wrongText(schema, value)
  if (typeof value === "number") return wrongNumber(schema, value)
  if (Array.isArray(value)) return isWithin(value.length, schema.minItems, schema.maxItems) ? null : ["length", "It has too few or too many items."]
  return null
}

function wrongText(schema: Schema, value: string): [string, string] | null {
  if (!isWithin(Array.from(value).length, schema.minLength, schema.maxLength)) return ["length", "It is too short or too long."]
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) return ["pattern", "It is not of the right form."]
  if (schema.format === "uuid" && !UUID.test(value)) return ["uuid", "It is no UUID."]
  if (schema.format === "date-time" && !(MOMENT.test(value) && Number.isFinite(Date.parse(value)))) return ["date_time", "It is no moment with a time zone."]
  return null
}

function wrongNumber(schema: Schema, value: number): [string, string] | null {
  const { exclusiveMinimum: above = -Infinity, exclusiveMaximum: below = Infinity } = schema
  return isWithin(value, schema.minimum, schema.maximum) && value > above && value < below ? null : ["range", "It is too small or too large."]
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value)
    case "number":
      return Number.isFinite(value)
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isObject(value)
    default:
      return typeof value === type
  }
}

function isWithin(value: number, least = -Infinity, most = Infinity): boolean {
  return least <= value && value <= most
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function inside(field: string, key: string): string {
  return field ? `${field}.${key}` : key
}
