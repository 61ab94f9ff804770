// `npm run bench`: the kit beside hand-written code, then the embedded broker beside Apache Kafka.
// `-- kit` or `-- broker` runs one of them; `--quick` is a short run, `--rounds 3` says how often.
import { benchBroker } from './broker-bench.ts'
import { benchKit } from './kit-bench.ts'

const [first, ...rest] = process.argv.slice(2)
const parts = { kit: benchKit, broker: benchBroker }
if (first === 'kit' || first === 'broker') {
  await parts[first](rest)
} else {
  const all = process.argv.slice(2)
  for (const bench of Object.values(parts)) await bench(all)
}
