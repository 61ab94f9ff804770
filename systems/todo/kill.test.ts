import { test } from 'node:test'
import { killRounds } from './kill-rounds.ts'

const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)

test(`three rounds of kills lose nothing and repeat nothing (KILL_SEED=${seed})`, async (t) => {
  await killRounds({ rounds: 3, requests: 500, seed, say: (line) => t.diagnostic(line) })
})
