// Unpacks the Chromium that travels inside an npm package, once, and says where it lies: `node chromium.mjs <folder>`.
// The package is made for a cloud whose machines have neither X nor NSS, so it brings its libraries along: they and a few
// fonts (its own has no rouble sign, and none has emoji) are all that a bare machine lacks.
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { pipeline } from "node:stream/promises"
import { createBrotliDecompress } from "node:zlib"
import { extract } from "tar-fs"

const FONTS = [
  "inter/400Regular/Inter_400Regular.ttf",
  "inter/500Medium/Inter_500Medium.ttf",
  "inter/600SemiBold/Inter_600SemiBold.ttf",
  "inter/700Bold/Inter_700Bold.ttf",
  "noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf",
]
const packed = createRequire(import.meta.url)
const entry = packed.resolve("@sparticuz/chromium")
const chromium = join(dirname(entry), "..")
const { version } = JSON.parse(readFileSync(join(chromium, "package.json"), "utf8"))
const parent = resolve(process.argv[2] ?? ".tools")
const home = join(parent, `chromium-${version}`)

const unpack = (name, target) =>
  pipeline(createReadStream(join(chromium, "bin", name)), createBrotliDecompress(), target)

if (!existsSync(home)) {
  mkdirSync(parent, { recursive: true })
  const fresh = mkdtempSync(join(parent, "chromium-new-"))
  await Promise.all([
    unpack("chromium.br", createWriteStream(join(fresh, "chromium"))),
    unpack("swiftshader.tar.br", extract(fresh, { chown: false })), // software rendering is looked for beside the program
    unpack("al2023.tar.br", extract(fresh, { chown: false })), // lib/: NSS, NSPR, expat
    unpack("fonts.tar.br", extract(fresh, { chown: false })), // fonts/: Open Sans
  ])
  chmodSync(join(fresh, "chromium"), 0o755)
  chmodSync(fresh, 0o755)
  for (const font of FONTS) copyFileSync(packed.resolve(`@expo-google-fonts/${font}`), join(fresh, "fonts", basename(font)))
  const families = ["sans-serif", "serif", "monospace", "system-ui"].map(
    (family) => `<alias><family>${family}</family><prefer><family>Inter</family><family>Noto Color Emoji</family></prefer></alias>`,
  )
  writeFileSync(
    join(fresh, "fonts.conf"),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${home}/fonts</dir>` +
      `<cachedir>${home}/fonts-cache</cachedir>${families.join("")}</fontconfig>\n`,
  )
  try {
    renameSync(fresh, home)
  } catch (error) {
    if (!existsSync(home)) throw error // else another run was quicker
    rmSync(fresh, { recursive: true })
  }
}

console.log(
  JSON.stringify({
    executable: join(home, "chromium"),
    libraries: join(home, "lib"),
    fonts: join(home, "fonts.conf"),
  }),
)
