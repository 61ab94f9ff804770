import assert from 'node:assert/strict'
import { test } from 'node:test'
import { millrace, type RunningCli, startMillrace } from './cli-process.ts'
import { freeOffset } from './free-offset.ts'
import { temporaryDirectory } from './temporary-directory.ts'

interface Addresses {
  readonly auth: string
  readonly mailbox: string
  readonly page: string
  readonly broker: string
}

function addressesAt(offset: number): Addresses {
  return {
    auth: `http://localhost:${8084 + offset}`,
    mailbox: `http://localhost:${8025 + offset}`,
    page: `http://localhost:${4000 + offset}`,
    broker: `localhost:${9092 + offset}`,
  }
}

/** `millrace start todo`, ready. */
async function started(data: string, offset: number, env = {}): Promise<RunningCli> {
  const words = ['start', 'todo', '--port-offset', String(offset), '--data', data]
  const running = startMillrace(words, { env })
  try {
    await running.said('Stop with Ctrl-C')
    return running
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
}

async function register(auth: string, name = 'test'): Promise<Response> {
  return fetch(`${auth}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, email: `${name}@example.com`, password: 'pass' }),
  })
}

/** Asks again until it is so; the test's own time limit ends it. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}

test('one command shows the whole way: table, 201, 409, mail, record, Ctrl-C, and the next start', async () => {
  using data = temporaryDirectory()
  const offset = await freeOffset()
  const { auth, mailbox, page, broker } = addressesAt(offset)
  {
    await using host = await started(data.path, offset)
    for (const address of [auth, mailbox, page, broker]) assert.ok(host.stdout.includes(address))
    assert.match(host.stdout, /Try first \(todo\)[\s\S]*curl -X POST .*\/auth\/register/)

    assert.equal((await register(auth)).status, 201)
    assert.equal((await register(auth)).status, 409)
    await eventually(async () => {
      const mails = await (await fetch(`${mailbox}/mails`)).text()
      return mails.includes('test@example.com')
    })
    const tail = await millrace(['tail', 'user.created', '--brokers', broker])
    assert.deepEqual([tail.code, tail.stderr], [0, ''])
    assert.match(
      tail.stdout,
      /^\{"eventType":"user\.created","userId":1,"timestamp":"[^"]+","payload":\{"email":"test@example\.com","username":"test"\}\}\n$/,
    )
    const html = await (await fetch(page)).text()
    assert.match(html, /<code>user\.created<\/code>/)
    assert.equal(html.split('<span class="state well">').length, 5, html)

    host.process.kill('SIGINT')
    const { code, stderr } = await host.ended
    assert.deepEqual([code, stderr], [0, 'stopping …\n'])
  }
  {
    await using host = await started(data.path, offset)
    assert.equal((await register(auth)).status, 409, 'the user is still there')
    const tail = await millrace(['tail', 'user.created', '--brokers', broker, '--json'])
    const record: unknown = JSON.parse(tail.stdout)
    assert.ok(typeof record === 'object' && record !== null && 'offset' in record)
    assert.equal(record.offset, 0)
    host.process.kill('SIGTERM')
    assert.equal((await host.ended).code, 0)
  }
})
