// Loaded into the process of each test file: a file that still runs past its time is ended, and
// fails by name. The test runner itself waits for ever for a file that leaves a handle open. A
// loop that never yields is not caught here; the limit of the whole run names it.
import { relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const seconds = Number(process.env['MILLRACE_TEST_FILE_SECONDS'])
const file = process.argv[1]

if (isMainThread && file?.endsWith('.test.ts') && seconds > 0) {
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ')
    console.error(`${relative('.', file)} still runs after ${seconds} s (open: ${open})`)
    process.exit(1)
  }, seconds * 1000).unref()
}
