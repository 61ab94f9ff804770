// `npm run chaos [events] [seed]`: by default 100,000 events.
import { startPostgres } from '../servers/postgres.ts'
import { chaos } from './chaos.ts'

const [events = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
await using postgres = await startPostgres()
const say = (line: string) => process.stdout.write(`${line}\n`)
await chaos({ postgresUrl: postgres.url, events, seed, say })
