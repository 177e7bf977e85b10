/** Says what this SDK makes of what another one made: a JSON array of questions on stdin, one of answers on stdout. */
import { text } from "node:stream/consumers"

import { parse } from "../../src/envelope.ts"
import { SignatureInvalid, TochkaError } from "../../src/errors.ts"
import { PlatformKeys } from "../../src/keys.ts"
import { sign, verifySignature } from "../../src/signatures.ts"

type Question =
  | { readonly ask: "verify"; readonly headers: Record<string, string>; readonly body: string; readonly keys: string[]; readonly now: number }
  | { readonly ask: "sign"; readonly id: string; readonly timestamp: number; readonly body: string; readonly keys: string[] }
  | { readonly ask: "parse"; readonly body: string }
  | { readonly ask: "license"; readonly body: string; readonly jwks: Record<string, unknown>; readonly issuer: string; readonly module: string }

async function answer(question: Question): Promise<unknown> {
  const body = Buffer.from(question.body, "base64")
  switch (question.ask) {
    case "verify":
      return verifySignature(body, question.headers, question.keys, { now: new Date(question.now * 1000) }).then(
        () => true,
        (error: unknown) => (error instanceof SignatureInvalid ? false : String(error)),
      )
    case "sign":
      return sign(question.id, question.timestamp, body, question.keys)
    case "parse":
      return parse(body)
    case "license": {
      const keys = new PlatformKeys({ coreUrl: "http://127.0.0.1:9", attempts: 1, jwks: question.jwks, issuer: question.issuer })
      return keys.readLicense(body.toString(), question.module).then(
        ({ claims }) => claims,
        (error: unknown) => (error instanceof TochkaError ? error.code : String(error)),
      )
    }
  }
}

const questions = JSON.parse(await text(process.stdin)) as Question[]
process.stdout.write(JSON.stringify(await Promise.all(questions.map(answer))))
