import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { median, Samples } from './samples.ts'
import { tableOf } from './table.ts'

test('the median of an even count is the middle of the two in the middle', () => {
  equal(median([9, 1, 4, 2]), 3)
  equal(median([9, 1, 4]), 4)
})

test('a ratio above 1 is better, whether more or less is', () => {
  const samples = new Samples()
  const speed = { measure: 'produce', unit: 'MB/s', better: 'more' } as const
  const memory = { measure: 'memory', unit: 'MB', better: 'less' } as const
  for (const figure of [100, 140, 120]) samples.add('Kafka', [{ ...speed, figure }])
  samples.add('embedded', [{ ...speed, figure: 180 }])
  samples.add('Kafka', [{ ...memory, figure: 400 }])
  samples.add('embedded', [{ ...memory, figure: 50 }])
  equal(
    tableOf(samples, ['Kafka', 'embedded']),
    [
      '                       Kafka  embedded  ratio',
      'produce, MB/s  120 (100–140)       180  1.50x',
      'memory, MB               400      50.0  8.00x',
    ].join('\n'),
  )
})
