/** The device behind a user agent, as its owner would call it. */

export interface Device {
  /** `Chrome`, `Safari`; for programs the name that they give themselves; empty when there is none. */
  browser: string
  /** `Windows`, `iPhone`; empty when unknown. */
  system: string
  isHandheld: boolean
}

/** In this order: most browsers also call themselves by the names of those that come later. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/YaBrowser|YaApp_|YandexSearch/, "Яндекс Браузер"],
  [/EdgA?\/|EdgiOS\//, "Edge"],
  [/OPR\/|OPT\/|OPiOS\//, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/MiuiBrowser\//, "Mi Browser"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/(Headless)?Chrome\/|CriOS\/|Chromium\//, "Chrome"],
  [/Version\/[\d.]+.* Safari\//, "Safari"],
]

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Macintosh|Mac OS X/, "Mac"],
  [/Linux|X11/, "Linux"],
]

export function deviceOf(userAgent: string): Device {
  const system = find(SYSTEMS, userAgent)
  return {
    browser: find(BROWSERS, userAgent) || programOf(userAgent),
    system,
    isHandheld: ["iPhone", "iPad", "Android"].includes(system),
  }
}

function find(list: readonly (readonly [RegExp, string])[], userAgent: string): string {
  return list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? ""
}

/** `curl` of `curl/8.5.0`; browsers all begin with `Mozilla`, which says nothing. */
function programOf(userAgent: string): string {
  const name = /^[\w.-]+(?=\/|$)/.exec(userAgent)?.[0] ?? ""
  return name === "Mozilla" ? "" : name
}
