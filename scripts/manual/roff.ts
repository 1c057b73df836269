/** The little of man(7) that the manual pages are made of. */

/** Text in which nothing is an instruction, and a hyphen stays one. */
export const escaped = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")

export const italic = (text: string): string => `\\fI${escaped(text)}\\fR`

export const heading = (title: string): string => `.SH "${title}"\n`

/** A term, and what it is. */
export const item = (term: string, text: string): string => `.TP\n${term}\n${escaped(text === "" ? "." : text)}\n`

/** Paragraphs, of which those with indented lines stay as they are. */
export const paragraphs = (text: string): string =>
  text
    .split(/\n\n+/)
    .map((paragraph) =>
      /^ /m.test(paragraph) ? `.PP\n.nf\n${escaped(paragraph)}\n.fi\n` : `.PP\n${escaped(paragraph)}\n`
    )
    .join("")

/** A page of its sections. */
export const page = (title: string, number: 1 | 8, version: string, sections: ReadonlyArray<string>): string =>
  `.\\" Made by scripts/manual.ts from the command itself.\n.TH "${title}" ${number} "" "bickford ${version}" "${
    number === 1 ? "User Commands" : "System Administration"
  }"\n${sections.join("")}`
