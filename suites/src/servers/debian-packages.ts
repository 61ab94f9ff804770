import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withProgress } from './progress.ts'
import { runChecked } from './run-command.ts'

/** A program that is needed, and the Debian package that holds it. */
export interface NeededProgram {
  readonly program: string
  readonly debianPackage: string
}

/**
 * Installs the Debian packages of the programs that are missing, all at once. Somebody who is not
 * root, or has no `apt-get`, gets an error that says what to install.
 */
export async function bringPrograms(needed: readonly NeededProgram[]): Promise<void> {
  const missing = needed.filter(({ program }) => !isOnPath(program))
  if (missing.length === 0) return
  const packages = missing.map(({ debianPackage }) => debianPackage)
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    throw new Error(
      `${missing.map(({ program }) => program).join(', ')} not found: install ` +
        `${packages.join(' ')} (on Debian: apt-get install ${packages.join(' ')}), or run as root`,
    )
  }
  await withProgress(`Installing the Debian packages ${packages.join(', ')}`, async () => {
    const environment = { DEBIAN_FRONTEND: 'noninteractive' }
    await runChecked('apt-get', ['update'], { environment, timeoutMs: 300_000 })
    // Without --no-upgrade apt also renews what is there already.
    const install = ['install', '-y', '--no-install-recommends', '--no-upgrade', ...packages]
    await runChecked('apt-get', install, { environment, timeoutMs: 600_000 })
  })
}

export function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
