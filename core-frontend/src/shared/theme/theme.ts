/** The look: spruce green on warm paper, round and calm. The only place where Mantine's defaults are changed. */
import { createTheme, type MantineColorsTuple, Menu } from "@mantine/core"

const spruce: MantineColorsTuple = [
  "#eff7f2", "#dceee3", "#b8dcc7", "#8dc6a6", "#5fae84", "#389768", "#1d8155", "#0f6a46", "#0b5539", "#073f2a",
]
const gray: MantineColorsTuple = [
  "#faf8f4", "#f4f0e9", "#e9e3d8", "#dcd4c6", "#c9c0b0", "#7d776c", "#67625a", "#4d4943", "#35322e", "#1f1d1a",
]
const red: MantineColorsTuple = [
  "#fdf2ef", "#fbe1dc", "#f5bdb3", "#ee9688", "#e5705f", "#d9503d", "#c23a29", "#a92d1f", "#8a2318", "#66180f",
]
const apricot: MantineColorsTuple = [
  "#fff4ec", "#ffe5d4", "#ffcaa8", "#ffab7a", "#ff9155", "#fb7a3c", "#e2622a", "#a8431a", "#8a3715", "#6b2a0f",
]

export const theme = createTheme({
  colors: { spruce, gray, red, apricot },
  primaryColor: "spruce",
  primaryShade: 7,
  black: "#1d2320",
  fontFamily: '"Onest Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  headings: { fontFamily: '"Onest Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif', fontWeight: "650" },
  radius: { xs: "6px", sm: "8px", md: "12px", lg: "18px", xl: "28px" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Menu: Menu.extend({
      defaultProps: {
        position: "bottom-end",
        radius: "lg",
        shadow: "none",
        hideDetached: false,
        // stays in the landmark that it belongs to, and holds nothing but items
        withinPortal: false,
        withInitialFocusPlaceholder: false,
      },
    }),
  },
})
