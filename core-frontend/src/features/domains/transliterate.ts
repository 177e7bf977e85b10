/** Russian in Latin letters, the way people spell site names by ear: ж zh, х h, ц c→ts, щ sch, й y. */

const LETTERS: Readonly<Record<string, string>> = {
  а: "a", б: "b", в: "v", г: "g", д: "d", е: "e", ё: "yo", ж: "zh", з: "z", и: "i", й: "y", к: "k", л: "l", м: "m",
  н: "n", о: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ф: "f", х: "h", ц: "ts", ч: "ch", ш: "sh", щ: "sch",
  ъ: "", ы: "y", ь: "", э: "e", ю: "yu", я: "ya", і: "i", ї: "yi", є: "ye", ґ: "g",
}

/** Lower-cased, Cyrillic spelt out, Latin accents dropped; everything else stays as it is. */
export function transliterate(text: string): string {
  const lower = text.toLowerCase().replace(/[ъь](?=е)/g, "y")
  const spelt = Array.from(lower.normalize("NFC"), (letter) => LETTERS[letter] ?? letter).join("")
  return spelt.normalize("NFD").replace(/\p{M}/gu, "")
}
