import { strictEqual } from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { compareWithKafka } from './kafka-definitions.ts'

test('every declared message is as Kafka itself defines it, field for field', () => {
  strictEqual(compareWithKafka(clientJar()).join('\n'), '')
})

function clientJar(): string {
  const libs = process.env['MILLRACE_KAFKA_LIBS']
  if (libs === undefined) {
    throw new Error(
      'MILLRACE_KAFKA_LIBS is not set (the folder of the jars of Kafka 4.3.0): run `npm run test:all`',
    )
  }
  const [jar] = globSync(`${libs}/kafka-clients-*.jar`)
  if (jar === undefined) throw new Error(`there is no kafka-clients-*.jar in ${libs}`)
  return jar
}
