/** First arguments by which the executable starts itself as something else than the command. */

/** A worker process of the daemon: a mount's name and source follow. */
export const workerMark = "--bickford-worker"

/** Imports the file that follows, which has a syntax error, so that Node reports where. */
export const syntaxMark = "--bickford-syntax"
