/** Bytes, where a callback may give text. */
const encoder = new TextEncoder()

export const bytes = (data: Uint8Array | string): Uint8Array => (typeof data === "string" ? encoder.encode(data) : data)
