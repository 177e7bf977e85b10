/** Leaves the panel by posting a form: how a one-time ticket gets to a module without standing in an address. */
import { webUrl } from "@/shared/format/address"

export function postForm(action: string, fields: Readonly<Record<string, string>>): void {
  if (webUrl(action) === null) throw new TypeError("A form is posted to a web address only")
  const form = document.createElement("form")
  form.method = "post"
  form.action = action
  form.hidden = true
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input")
    input.type = "hidden"
    input.name = name
    input.value = value
    form.append(input)
  }
  document.body.append(form)
  form.submit()
  form.remove()
}
