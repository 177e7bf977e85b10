/**
 * Writes the theme's CSS variables into a style sheet at build time: Mantine would otherwise add a `<style>` element
 * at run time, which the content security policy of the pages forbids.
 */
import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from "@mantine/core"
import type { Plugin } from "vite"

import { theme } from "../src/shared/theme/theme.ts"

const ID = "virtual:theme.css"

export function themeCss(): Plugin {
  return {
    name: "theme-css",
    resolveId: (id) => (id === ID ? `\0${ID}` : null),
    load(id) {
      if (id !== `\0${ID}`) return null
      const { variables, light } = defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme))
      return convertCssVariables({ variables: { ...variables, "--mantine-color-scheme": "light" }, light, dark: {} })
    },
  }
}
