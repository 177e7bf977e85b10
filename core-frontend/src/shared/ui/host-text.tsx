/** A host that, when it must break, breaks after its label. */

export function HostText({ host }: { host: string }) {
  const [label, ...rest] = host.split(".")
  return (
    <>
      {label}
      {rest.length > 0 && <wbr />}
      {rest.map((part) => `.${part}`).join("")}
    </>
  )
}
