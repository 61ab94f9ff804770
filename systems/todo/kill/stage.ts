import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaInspector, openKafka, readKafkaConfig } from '@millrace/kit'
import { type Mailbox, startMailbox } from '@millrace/mail/mailbox'
import { Child, freePorts } from '@millrace/suites/killing'
import { Load } from './load.ts'
import { AcknowledgedProducer } from './producer.ts'

/**
 * What the kill test plays on: a broker and the services, each a process of its own that may
 * die; the mailbox, the requests and a plain producer, which live in the test and never do.
 */
export interface Stage extends AsyncDisposable {
  readonly broker: Child
  readonly services: Child
  readonly mailbox: Mailbox
  readonly load: Load
  readonly producer: AcknowledgedProducer
  readonly kafka: KafkaInspector
}

/** More mails than twenty rounds can send: the test counts all of them. */
const mailsMax = 200_000

export async function openStage(random: () => number): Promise<Stage> {
  await using opening = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
  opening.defer(() => rm(directory, { recursive: true }))
  const [kafkaPort = 0, ...ports] = await freePorts(4)
  const [authUrl = '', taskUrl = ''] = ports.map((port) => `http://127.0.0.1:${port}`)
  const settings = readKafkaConfig({ KAFKA_BROKERS: `localhost:${kafkaPort}` })

  const mailbox = opening.use(await startMailbox({ http: 0, smtp: 0, mailsMax }))
  const kafka = opening.use(new KafkaInspector(settings))
  const broker = opening.use(
    new Child({
      name: 'the broker',
      script: fileURLToPath(import.meta.resolve('@millrace/broker/serve')),
      args: ['--data', join(directory, 'broker'), '--port', String(kafkaPort)],
      env: {},
      isReady: () => answers(() => kafka.cluster()),
    }),
  )
  const services = opening.use(
    new Child({
      name: 'the services',
      script: fileURLToPath(import.meta.resolve('./services.ts')),
      args: [join(directory, 'services'), ...ports.map(String)],
      env: {
        KAFKA_BROKERS: settings.brokers.join(),
        AUTH_SERVICE_URL: authUrl,
        SERVICE_TOKEN: 'of-the-kill-test',
        SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      },
      isReady: () => answers(() => fetch(taskUrl)),
    }),
  )
  await broker.start()
  const producer = opening.use(new AcknowledgedProducer(openKafka(settings)))
  await services.start()
  const load = new Load({ authUrl, taskUrl, random })
  const held = opening.move()
  const parts = { broker, services, mailbox, load, producer, kafka }
  return { ...parts, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch {
    return false
  }
}
