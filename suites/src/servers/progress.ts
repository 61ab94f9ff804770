/** What is brought or started takes a while: one line says so, and how long it took. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now()
  const seconds = () => `${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`
  if (!process.stderr.isTTY) {
    process.stderr.write(`${what} …\n`)
    const result = await work()
    process.stderr.write(`${what}: ${seconds()}\n`)
    return result
  }
  const timer = setInterval(() => process.stderr.write(`\r${what} … ${seconds()}`), 500)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    process.stderr.write(`\r\u001b[K${what}: ${seconds()}\n`)
  }
}
