/** Rules held by the linter: no `any`, short files, and imports that only point down (app → features → shared). */
import { readdirSync } from "node:fs"

import js from "@eslint/js"
import type { Linter } from "eslint"
import { defineConfig } from "eslint/config"
import reactHooks from "eslint-plugin-react-hooks"
import tseslint from "typescript-eslint"

const features = readdirSync(new URL("./src/features", import.meta.url))
const PARENT = { group: ["../*"], message: "Import from another folder by its `@/` path, so that the zones below can see it." }

function zone(files: string[], ...forbidden: { group: string[]; message: string }[]): Linter.Config {
  return { files, rules: { "no-restricted-imports": ["error", { patterns: [PARENT, ...forbidden] }] } }
}

export default defineConfig(
  { ignores: ["dist", "node_modules", "src/shared/api/schema.d.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  reactHooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", { max: 250 }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "no-console": "error",
      "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"] }],
    },
  },
  zone(["src/app/**"]),
  zone(["src/shared/**"], { group: ["@/features/**", "@/app/**"], message: "`shared` knows neither features nor the app." }),
  ...features.map((feature) =>
    zone(
      [`src/features/${feature}/**`],
      { group: ["@/app/**"], message: "A feature does not know the app." },
      { group: ["@/features/**", `!@/features/${feature}`, `!@/features/${feature}/**`], message: "Features never import each other." },
    ),
  ),
)
