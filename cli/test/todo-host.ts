import { type RunningCli, startMillrace } from './cli-process.ts'

/** Where the parts of a host of the todo system are. */
export interface TodoAddresses {
  readonly auth: string
  readonly mailbox: string
  readonly page: string
  readonly broker: string
}

export function addressesAt(offset: number): TodoAddresses {
  return {
    auth: `http://localhost:${8084 + offset}`,
    mailbox: `http://localhost:${8025 + offset}`,
    page: `http://localhost:${4000 + offset}`,
    broker: `localhost:${9092 + offset}`,
  }
}

export interface TodoHostOptions {
  readonly data: string
  readonly offset: number
  readonly env?: Readonly<Record<string, string>>
}

export function startWords({ data, offset }: TodoHostOptions): readonly string[] {
  return ['start', 'todo', '--port-offset', String(offset), '--data', data]
}

/** `millrace start todo`, once it has said that everything runs. */
export async function startTodo(options: TodoHostOptions): Promise<RunningCli> {
  const running = startMillrace(startWords(options), { env: options.env ?? {} })
  try {
    await running.said('Stop with Ctrl-C')
    return running
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
}

export async function register(auth: string, name = 'test', host = 'example.com'): Promise<number> {
  const response = await fetch(`${auth}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, email: `${name}@${host}`, password: 'pass' }),
  })
  await response.arrayBuffer()
  return response.status
}

/** Asks again until it is so; the test's own time limit ends it. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}
