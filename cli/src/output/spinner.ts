import type { Clock } from '@millrace/kit'
import { spinnerAfterMs } from '../limits.ts'
import type { Terminal } from './terminal.ts'

const frameMs = 100
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/**
 * Runs `work`, and shows a spinner with `text` from its second second on. `work` may say how far
 * it is; the text then stands behind the spinner's.
 */
export async function withSpinner<Result>(
  { terminal, clock, text }: { terminal: Terminal; clock: Clock; text: string },
  work: (advance: (howFar: string) => void) => Promise<Result>,
): Promise<Result> {
  let frame = 0
  let detail = ''
  const draw = () => {
    terminal.progress(`${frames[frame++ % frames.length]} ${text}${detail}`)
    timer = clock.after(frameMs, draw)
  }
  let timer = clock.after(spinnerAfterMs, draw)
  try {
    return await work((howFar) => {
      detail = ` ${howFar}`
    })
  } finally {
    timer.cancel()
    terminal.progress('')
  }
}
