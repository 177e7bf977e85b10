/** JSON Schema as TypeScript: the part of it that the platform's models use; anything else is an error here. */
export interface Schema {
  title?: string
  description?: string
  type?: string
  format?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  [keyword: string]: unknown
}

const FOR_PEOPLE = ["title", "description"]
const CHECKED = ["type", "format", "default", "const", "enum", "anyOf", "items", "properties", "required", "additionalProperties"]
const BOUNDS = ["pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"]
const KNOWN = new Set([...FOR_PEOPLE, ...CHECKED, ...BOUNDS])
const FORMATS = new Set(["uuid", "date-time"])

/** An interface with the schema's name, words and members. */
export function declaration(name: string, schema: Schema): string {
  const members = Object.entries(schema.properties ?? {}).map(([key, member]) => `  ${key}: ${written(member)}`)
  const head = `${comment(schema.description)}export interface ${name}`
  return members.length === 0 ? `${comment(schema.description)}export type ${name} = Record<string, never>` : `${head} {\n${members.join("\n")}\n}`
}

/** The schema as what checks it reads: without words for people. */
export function runtime(schema: Schema): string {
  return JSON.stringify(stripped(schema))
}

/** The type of a value that has been checked: members that were left out have their default then. */
function written(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ")
  if (schema.anyOf) return schema.anyOf.map(written).join(" | ")
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type
    case "integer":
    case "number":
      return "number"
    case "array":
      return `readonly (${schema.items ? written(schema.items) : "unknown"})[]`
    case "object":
      return object(schema)
    case undefined:
      return "unknown"
    default:
      throw new Error(`no TypeScript for the type ${schema.type}`)
  }
}

function object(schema: Schema): string {
  if (schema.properties) {
    return `{ ${Object.entries(schema.properties).map(([key, member]) => `${key}: ${written(member)}`).join("; ")} }`
  }
  const values = typeof schema.additionalProperties === "object" ? written(schema.additionalProperties) : "unknown"
  return `Record<string, ${values}>`
}

function stripped(schema: Schema): Schema {
  for (const keyword of Object.keys(schema)) {
    if (!KNOWN.has(keyword)) throw new Error(`src/schema.ts does not check the keyword ${keyword}`)
  }
  if (schema.format !== undefined && !FORMATS.has(schema.format)) throw new Error(`src/schema.ts does not check the format ${schema.format}`)
  const kept: Schema = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !FOR_PEOPLE.includes(keyword)))
  if (kept.properties) kept.properties = Object.fromEntries(Object.entries(kept.properties).map(([key, member]) => [key, stripped(member)]))
  if (kept.anyOf) kept.anyOf = kept.anyOf.map(stripped)
  if (kept.items) kept.items = stripped(kept.items)
  if (typeof kept.additionalProperties === "object") kept.additionalProperties = stripped(kept.additionalProperties)
  return kept
}

/** Reads as a doc comment; Python's double backticks and sections are words like any others. */
function comment(words: string | undefined): string {
  if (!words) return ""
  const lines = words.replaceAll("*/", "* /").split("\n")
  return lines.length === 1 ? `/** ${words} */\n` : `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\n`
}
