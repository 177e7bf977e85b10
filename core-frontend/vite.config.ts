/** Builds the panel into static files: no inline script, no inline style, hashed names under /assets. */
import { fileURLToPath } from "node:url"

import { lingui } from "@lingui/vite-plugin"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vitest/config"

import { prerender } from "./build/prerender.ts"
import { themeCss } from "./build/theme-css.ts"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [react(), lingui({ macroTransform: true, failOnCompileError: true }), themeCss(), prerender()],
  resolve: { alias: { "@": here("./src"), "@tests": here("./tests") } },
  build: {
    target: "baseline-widely-available",
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // comes first, whatever else is split off: the style sheets of components differ from the theme's
            { name: "theme", test: /shared[\\/]theme[\\/]index/, priority: 1 },
            { name: "vendor", test: /node_modules[\\/](react|react-dom|scheduler|react-router|@tanstack|@lingui)[\\/]/ },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://localhost:8080", "/dev": "http://localhost:8080" } },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://localhost/" } },
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    css: false,
    testTimeout: 30_000,
  },
})
