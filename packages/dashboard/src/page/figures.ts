/** Numbers for people. */

export const count = (value: number): string => {
  if (value >= 10_000_000) return `${(value / 1e6).toFixed(0)}M`
  if (value >= 10_000) return `${(value / 1e3).toFixed(0)}k`
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)
}

export const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1)

export const microseconds = (value: number): string => {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} s`
  return value >= 1000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toFixed(0)} us`
}

export const duration = (milliseconds: number): string => {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
