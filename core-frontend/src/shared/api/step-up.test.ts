// @vitest-environment node
import { expect, test } from "vitest"

import { StepUp } from "@/shared/api/step-up"

test("where nobody can ask, the answer is no at once", async () => {
  await expect(new StepUp().ask()).resolves.toBe(false)
})

test("calls that meet the question together share it, and each later one is a new one", async () => {
  const stepUp = new StepUp()
  const seen: boolean[] = []
  stepUp.subscribe(() => seen.push(stepUp.isAsking))
  const answers = Promise.all([stepUp.ask(), stepUp.ask()])
  stepUp.settle(true)
  await expect(answers).resolves.toEqual([true, true])
  expect(stepUp.isAsking).toBe(false)
  const later = stepUp.ask()
  stepUp.settle(false)
  await expect(later).resolves.toBe(false)
  expect(seen).toEqual([true, true, false, true, false])
})

test("a page that goes away leaves nobody waiting", async () => {
  const stepUp = new StepUp()
  const leave = stepUp.subscribe(() => undefined)
  const answer = stepUp.ask()
  leave()
  await expect(answer).resolves.toBe(false)
})
