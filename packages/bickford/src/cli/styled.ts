/** Text in colour, where a terminal shows it and the person has not asked for none (NO_COLOR). */
import { styleText } from "node:util"

/** What text can look like. */
export type Style = "bold" | "dim" | "inverse" | "red" | "yellow" | "green"

/** `text` as it is where standard output is no terminal, or NO_COLOR is set (no-color.org). */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })
