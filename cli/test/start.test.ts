import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { millrace, startMillrace } from './cli-process.ts'
import { freeOffset } from './free-offset.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { addressesAt, eventually, register, startTodo } from './todo-host.ts'

const limit = { timeout: 60_000 }

test('one command shows the whole way, and the next start finds everything', limit, async () => {
  using data = temporaryDirectory()
  const place = { data: data.path, offset: await freeOffset() }
  const { auth, mailbox, page, broker } = addressesAt(place.offset)
  {
    await using host = await startTodo(place)
    for (const address of [auth, mailbox, page, broker]) assert.ok(host.stdout.includes(address))
    assert.match(host.stdout, /Try first \(todo\)[\s\S]*curl -X POST .*\/auth\/register/)

    assert.equal(await register(auth), 201)
    assert.equal(await register(auth), 409)
    await eventually(async () => {
      const mails = await (await fetch(`${mailbox}/mails`)).text()
      return mails.includes('test@example.com')
    })
    const tail = await millrace(['tail', 'user.created', '--brokers', broker])
    assert.deepEqual([tail.code, tail.stderr], [0, ''])
    const { timestamp } = JSON.parse(tail.stdout)
    const payload = '{"email":"test@example.com","username":"test"}'
    const written = `"timestamp":"${timestamp}","payload":${payload}`
    assert.equal(tail.stdout, `{"eventType":"user.created","userId":1,${written}}\n`)
    const html = await (await fetch(page)).text()
    assert.match(html, /<code>user\.created<\/code>/)
    assert.equal(html.split('<span class="state up">').length, 5, html)

    host.process.kill('SIGINT')
    const { code, stderr } = await host.ended
    assert.deepEqual([code, stderr], [0, 'stopping …\n'])
  }
  {
    await using host = await startTodo(place)
    assert.equal(await register(auth), 409, 'the user is still there')
    const tail = await millrace(['tail', 'user.created', '--brokers', broker, '--json'])
    const record: unknown = JSON.parse(tail.stdout)
    assert.ok(typeof record === 'object' && record !== null && 'offset' in record)
    assert.equal(record.offset, 0)
    host.process.kill('SIGTERM')
    assert.equal((await host.ended).code, 0)
  }
})

test('what is refused is parked, listed, redriven, and discarded', limit, async () => {
  using data = temporaryDirectory()
  const place = { data: data.path, offset: await freeOffset() }
  const { auth, mailbox, page, broker } = addressesAt(place.offset)
  await using host = await startTodo(place)
  const run = async (...words: string[]) => {
    const { code, stdout, stderr } = await millrace([...words, '--brokers', broker])
    return { code, stdout, stderr }
  }
  assert.equal((await run('dead-letters')).stderr, 'there are no dead letters\n')
  assert.equal(await register(auth, 'ann', 'refused.test'), 201)
  assert.equal(await register(auth, 'bob', 'refused.test'), 201)
  await host.said(/notification-service: .*\(user\.created\): .*refuse/)
  const live = async () => (await fetch(`${page}/live`)).text()
  await eventually(async () => (await live()).includes('notification-service: 2'))
  await eventually(async () => (await run('dead-letters')).stdout.split('parked').length === 3)

  const listed = await run('dead-letters')
  assert.match(listed.stdout, /^id +state +service +topic +key +attempts +since +reason\n/)
  assert.match(
    listed.stdout,
    /parked +notification-service +user\.created +1 +\d+ .*the SMTP server refuses/,
  )

  assert.deepEqual(await run('discard', '--key', '1'), {
    code: 2,
    stdout: '',
    stderr:
      'millrace: there is no terminal to ask at: say --yes to give them up (millrace help discard)\n',
  })
  assert.deepEqual(await run('discard', '--key', '1', '--topic', 'user.created', '--yes'), {
    code: 0,
    stdout: '1 dead letter of notification-service is given up\n',
    stderr: '',
  })
  await fetch(`${mailbox}/refusals/off`, { method: 'POST' })
  const redriven = await run('redrive', '--all', '--json')
  const { outcome, ...asked } = JSON.parse(redriven.stdout)
  assert.deepEqual(asked, { action: 'redrive', service: 'notification-service', target: {} })
  assert.deepEqual(outcome, { kind: 'done', letters: 1, isOutOfOrder: false })
  await eventually(async () => (await live()).includes('Dead letters</h2><p>None.'))
  const mails = await (await fetch(`${mailbox}/mails`)).text()
  assert.deepEqual([mails.includes('bob@refused.test'), mails.includes('ann@')], [true, false])

  const unknown = await run('redrive', 'no-such-id')
  assert.match(unknown.stderr, /^millrace: no dead letter has the id "no-such-id"; .*lists them\n$/)
  assert.equal(unknown.code, 1)
  host.process.kill('SIGINT')
  assert.equal((await host.ended).code, 0)
})

test(
  'a service runs alone, against the Kafka of its variables, and shows its lag',
  limit,
  async () => {
    using data = temporaryDirectory()
    using other = temporaryDirectory()
    const place = { data: data.path, offset: await freeOffset() }
    const { broker } = addressesAt(place.offset)
    await using host = await startTodo(place)
    const port = 8084 + (await freeOffset())
    await using service = startMillrace(
      ['run', 'todo', 'auth-service', '--port', String(port), '--data', other.path],
      { env: { KAFKA_BROKERS: broker, SERVICE_TOKEN: 'of-the-test' } },
    )
    await service.said(`auth-service runs at http://localhost:${port}`)
    assert.equal(await register(`http://localhost:${port}`, 'alone'), 201)
    const words = ['tail', 'user.created', '--follow', '--count', '1', '--brokers', broker]
    assert.match((await millrace(words)).stdout, /"username":"alone"/)
    await eventually(async () => {
      const groups = await millrace(['groups', '--brokers', broker])
      return /^notification-service +Stable +1 +user\.created +1 +0$/m.test(groups.stdout)
    })
    service.process.kill('SIGTERM')
    assert.equal((await service.ended).code, 0)
    host.process.kill('SIGINT')
    await host.ended
  },
)

test(
  'without a system the broker starts alone, and is told in JSON where it is',
  limit,
  async () => {
    using place = temporaryDirectory()
    const offset = await freeOffset()
    const words = ['start', '--port-offset', String(offset), '--json']
    await using host = startMillrace(words, { currentDirectory: place.path })
    await host.said('}\n')
    const overview = JSON.parse(host.stdout)
    assert.deepEqual(overview.systems, [])
    assert.equal(overview.dataDirectory, join(place.path, '.millrace'))
    const [broker] = overview.kafka.brokers
    const topics = await millrace(['topics', '--brokers', broker])
    assert.deepEqual([topics.code, topics.stderr], [0, 'there are no topics yet\n'])
    host.process.kill('SIGINT')
    assert.equal((await host.ended).code, 0)
  },
)
