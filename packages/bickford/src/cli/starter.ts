/** Who started this process in the background, and waits for what comes of it. Loads nothing that mounts. */
import { isInBackground } from "./stopSignal.ts"

/** What the process in the background tells the one that started it, once. */
export type Outcome = { readonly mounted: string } | { readonly failed: string }

/** Tells whoever started this process in the background; then nothing holds the two together. */
export const tellStarter = (outcome: Outcome): void => {
  if (!isInBackground || process.send === undefined || !process.connected) return
  process.send(outcome, () => process.disconnect())
}
