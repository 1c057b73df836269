/** Elements, made without markup: text stays text. */

type Child = Node | string

/** Attributes by name; what begins with "on" is not one: listeners are added to the element. */
interface Attributes {
  readonly [name: string]: string
}

export const element = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes,
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[Tag] => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export const drawing = (
  tag: "svg" | "polyline" | "rect" | "title",
  attributes: Attributes,
  ...children: ReadonlyArray<Child>
): SVGElement => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** Gives a text to the reader as a file. */
export const download = (name: string, text: string, type: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  element("a", { href: url, download: name }).click()
  URL.revokeObjectURL(url)
}

/** A button that says what became of it; while it works it cannot be pressed again. */
export const button = (label: string, act: () => Promise<string>, say: (text: string) => void): HTMLButtonElement => {
  const made = element("button", { type: "button" }, label)
  made.addEventListener("click", () => {
    made.disabled = true
    void act()
      .then(say)
      .catch((error: unknown) => say(`${label}: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => (made.disabled = false))
  })
  return made
}

/** A table whose columns that hold numbers are aligned to the right; `wide` ones are left out on a narrow page. */
export interface Column {
  readonly title: string
  readonly kind?: "number" | "name" | "wide" | "number wide"
}

export const tableOf = (
  columns: ReadonlyArray<Column>,
  caption: string
): {
  readonly table: HTMLTableElement
  readonly body: HTMLTableSectionElement
} => {
  const body = element("tbody", {})
  const head = element(
    "thead",
    {},
    element("tr", {}, ...columns.map(({ kind = "", title }) => element("th", { scope: "col", class: kind }, title)))
  )
  return { table: element("table", { "aria-label": caption }, head, body), body }
}

export const cellsOf = (
  columns: ReadonlyArray<Column>,
  cells: ReadonlyArray<Child>
): ReadonlyArray<HTMLTableCellElement> =>
  cells.map((cell, index) => element("td", { class: columns[index]?.kind ?? "" }, cell))
