/** The address that a label will have. The core knows; until it has answered, this is what the panel's own address suggests. */

export function storefrontUrl(label: string, known: string | null, here: Location | URL = window.location): string {
  if (known !== null) return known
  return `${here.protocol}//${label}.${here.host}`
}
