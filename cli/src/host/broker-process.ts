import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'
import type { BrokerRun } from './broker-keeper.ts'
import { brokerStartMsMax } from './limits.ts'
import type { LogFile } from './log-file.ts'

export interface BrokerProcessOptions {
  readonly ports: readonly number[]
  readonly directory: string
  readonly log: LogFile
  readonly clock: Clock
}
