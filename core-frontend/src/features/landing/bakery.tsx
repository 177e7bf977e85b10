/** Goods of the drawn bakery. */

export function Bread() {
  return (
    <svg viewBox="0 0 120 90">
      <ellipse cx="60" cy="76" rx="44" ry="6" fill="#000" opacity="0.07" />
      <path d="M14 52c0-20 20-32 46-32s46 12 46 32c0 14-8 22-20 22H34c-12 0-20-8-20-22Z" fill="#c98443" />
      <path d="M20 48c2-15 19-23 40-23s38 8 40 23c-8-8-22-12-40-12s-32 4-40 12Z" fill="#dfa05c" />
      <path d="m38 58 10-26M56 60l8-30M75 58l6-24" stroke="#f6dcb0" strokeWidth="5" strokeLinecap="round" />
    </svg>
  )
}

export function Croissant() {
  return (
    <svg viewBox="0 0 120 90">
      <ellipse cx="60" cy="78" rx="42" ry="6" fill="#000" opacity="0.07" />
      <path d="M60 18c-27 0-46 19-48 44-.6 8 6 12 13 8 4-12 18-20 35-20s31 8 35 20c7 4 13.6 0 13-8-2-25-21-44-48-44Z" fill="#dd9a4b" />
      <path d="M47 20c-3 10-3 21 1 31 4-.9 8-1.3 12-1.300s8 .4 12 1.300c4-10 4-21 1-31-4-1.3-8.5-2-13-2s-9 .7-13 2Z" fill="#eab468" />
      <path d="M30 29c-4 8-5 17-3 28M90 29c4 8 5 17 3 28" stroke="#b97831" strokeWidth="3.5" strokeLinecap="round" fill="none" />
    </svg>
  )
}

export function Pie() {
  return (
    <svg viewBox="0 0 120 90">
      <ellipse cx="60" cy="78" rx="46" ry="6" fill="#000" opacity="0.07" />
      <path d="M16 48h88l-9 24a6 6 0 0 1-6 4H31a6 6 0 0 1-6-4Z" fill="#c98443" />
      <ellipse cx="60" cy="46" rx="48" ry="18" fill="#e3aa62" />
      <ellipse cx="60" cy="44" rx="39" ry="13" fill="#a52a3c" />
      <path d="M25 42h70M31 50h58M41 33 61 56M60 31l20 24M28 38l16 18M79 33l14 15" stroke="#efc583" strokeWidth="5" strokeLinecap="round" />
    </svg>
  )
}

export function Cake() {
  return (
    <svg viewBox="0 0 120 90">
      <ellipse cx="60" cy="80" rx="42" ry="5" fill="#000" opacity="0.07" />
      <path d="M22 34 66 20l34 14v40a4 4 0 0 1-4 4H26a4 4 0 0 1-4-4Z" fill="#f7e3bd" />
      <path d="M22 34h78v7H22zM22 50h78v7H22zM22 66h78v7H22z" fill="#c07a37" />
      <path d="M22 34 66 20l34 14Z" fill="#e2a75b" />
      <circle cx="64" cy="21" r="7" fill="#c23a49" />
      <path d="M64 15c1-5 4-7 8-8" stroke="#4d8a5e" strokeWidth="2.5" strokeLinecap="round" fill="none" />
    </svg>
  )
}
