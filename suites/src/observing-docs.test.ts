import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  defineCatalogue,
  MemoryCluster,
  openMemory,
  readServiceRecord,
  readTraceBatch,
  service,
  silentLog,
  startService,
  systemClock,
} from '@millrace/kit'

const page = readFileSync(join(import.meta.dirname, '../../docs/observing.md'), 'utf8')
const kit = join(import.meta.dirname, '../../kit')

const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  )

test('docs/observing.md has each metric of a service, with its labels', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-observing-'))
  const cluster = new MemoryCluster(systemClock)
  const transport = openMemory(cluster, systemClock)
  const options = { directory, env: {}, transport, log: silentLog, announces: false }
  const told = new Map<string, string>()
  {
    await using running = await startService(
      service('s', { catalogue: defineCatalogue('c', {}) }),
      options,
    )
    for (const { name } of await running.metrics.getMetricsAsJSON()) told.set(name, name)
  }
  rmSync(directory, { recursive: true })
  const listed = [...page.matchAll(/^\| `(millrace_[a-z_]+)` \|/gm)].map(([, name = '']) => name)
  assert.deepEqual(listed.sort(), [...told.keys()].sort())
})

test('the records that docs/observing.md shows are read whole', () => {
  const [batch = '', record = ''] = blocks('json')
  const read = readTraceBatch(new TextEncoder().encode(batch))
  assert.deepEqual(read, JSON.parse(batch))
  assert.deepEqual(readServiceRecord(new TextEncoder().encode(record)), JSON.parse(record))
})

test('the set-up for OpenTelemetry that docs/observing.md shows makes spans', () => {
  const [setUp = ''] = blocks('js')
  const span = "\ntrace.getTracer('t').startSpan('a span of mine').end()\n"
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `${setUp}${span}`],
    { cwd: kit, encoding: 'utf8' },
  )
  assert.match(stdout, /a span of mine/, stderr)
})

test("a service's own metrics stand beside the kit's, as docs/observing.md shows", () => {
  const [example = ''] = blocks('ts')
  const program = `import { defineCatalogue, MemoryCluster, openMemory, silentLog, startService, systemClock } from '@millrace/kit'
    import { mkdtempSync, rmSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    const catalogue = defineCatalogue('c', {})
    ${example}
    const transport = openMemory(new MemoryCluster(systemClock), systemClock)
    const directory = mkdtempSync(tmpdir() + '/millrace-shop-')
    const running = await startService(shop, { directory, env: {}, transport, log: silentLog })
    const [url] = running.servers[0].urls
    await fetch(url + '/visit')
    console.log(await (await fetch(url + '/metrics')).text())
    await running.stop()
    rmSync(directory, { recursive: true })`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module-typescript', '-e', program],
    { cwd: kit, encoding: 'utf8' },
  )
  assert.match(stdout, /^shop_visits_total\{service="shop"\} 1$/m, stderr)
  assert.match(stdout, /^millrace_kafka_up\{service="shop"\} [01]$/m)
})
