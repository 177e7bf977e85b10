/**
 * Writes the landing into index.html (and index.en.html) at build time, so that it can be read without scripts; every other
 * page begins with app.html, the same document with nothing in it.
 */
import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"

import { build, type Plugin, type ResolvedConfig } from "vite"

import type * as Landing from "../src/app/landing-html.tsx"

const PAGES = { ru: "index.html", en: "index.en.html" } as const

export function prerender(): Plugin {
  let config: ResolvedConfig
  return {
    name: "prerender",
    apply: "build",
    configResolved(resolved) {
      config = resolved
    },
    async closeBundle(error) {
      if (error !== undefined || config.build.ssr !== false) return
      const dist = resolve(config.root, config.build.outDir)
      const shell = await readFile(resolve(dist, PAGES.ru), "utf8")
      await writeFile(resolve(dist, "app.html"), shell)
      const { landingHtml } = await compiled(config)
      for (const locale of ["ru", "en"] as const) {
        const page = await landingHtml(locale)
        const { markup, css } = withoutInlineStyles(page.markup)
        const sheet = `/assets/landing-${createHash("sha256").update(css).digest("hex").slice(0, 10)}.css`
        await writeFile(`${dist}${sheet}`, css)
        await writeFile(resolve(dist, PAGES[locale]), documentOf(shell, locale, { ...page, markup }, sheet))
      }
    },
  }
}

async function compiled({ root, configFile }: ResolvedConfig): Promise<typeof Landing> {
  const outDir = resolve(root, "node_modules/.prerender")
  await build({
    root,
    configFile: configFile ?? false,
    logLevel: "warn",
    build: { ssr: "src/app/landing-html.tsx", outDir, emptyOutDir: true, copyPublicDir: false },
  })
  return (await import(`${pathToFileURL(resolve(outDir, "landing-html.js")).href}?${Date.now()}`)) as typeof Landing
}

function documentOf(shell: string, locale: string, { title, description, markup }: Landing.LandingHtml, sheet: string): string {
  return shell
    .replace('<html lang="ru"', `<html lang="${locale}"`)
    .replace(/<title>.*<\/title>/, () => `<title>${title}</title>`)
    .replace(/(<meta property="og:title" content=)"[^"]*"/, (_, start: string) => `${start}"${title}"`)
    .replace(/(<meta (?:name|property)="(?:og:)?description" content=)"[^"]*"/g, (_, start: string) => `${start}"${description}"`)
    .replace("</head>", `  <link rel="stylesheet" crossorigin href="${sheet}">\n  </head>`)
    .replace('<div id="root"></div>', () => `<div id="root">${markup}</div>`)
}

/** The content security policy forbids `style` attributes in a document, though not to scripts: rules take their place. */
function withoutInlineStyles(markup: string): { markup: string; css: string } {
  const looks = new Map<string, number>()
  const clean = markup.replace(/ style="([^"]*)"/g, (_, style: string) => {
    const look = looks.get(style) ?? looks.size
    looks.set(style, look)
    return ` data-look="${look}"`
  })
  const rules = [...looks].map(([style, look]) => `:root [data-look="${look}"]{${style.replaceAll("&quot;", '"')}}`)
  return { markup: clean, css: `${rules.join("\n")}\n` }
}
