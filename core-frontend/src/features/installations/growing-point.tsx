/** The house's sign, alive: a point that sprouts while an activation runs and stands in leaf when it is done. */
import classes from "@/features/installations/growing-point.module.css"

export function GrowingPoint({ mood }: { mood: "growing" | "grown" | "resting" }) {
  return (
    <svg viewBox="0 0 160 160" width="160" height="160" className={classes.point} data-mood={mood} aria-hidden="true">
      <circle cx="80" cy="80" r="70" className={classes.ground} />
      <circle cx="80" cy="80" r="70" className={classes.ring} pathLength="100" />
      <g className={classes.sparks}>
        <circle cx="26" cy="38" r="4" fill="#ffb454" />
        <circle cx="136" cy="46" r="5" fill="#fb7a3c" />
        <circle cx="20" cy="104" r="5" fill="#5fae84" />
        <circle cx="140" cy="108" r="4" fill="#ffb454" />
        <rect x="112" y="14" width="9" height="9" rx="2" fill="#1d8155" transform="rotate(20 116 18)" />
        <rect x="44" y="12" width="8" height="8" rx="2" fill="#fb7a3c" transform="rotate(-18 48 16)" />
      </g>
      <path d="M80 118V74" className={classes.stem} pathLength="100" />
      <path d="M80 80c0-21 13-34 36-35 1 23-12 36-36 35Z" className={classes.leafRight} />
      <path d="M79 96c-1-16-11-26-30-26 0 17 11 27 30 26Z" className={classes.leafLeft} />
      <circle cx="80" cy="120" r="9" className={classes.seed} />
    </svg>
  )
}
