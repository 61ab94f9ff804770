// The limits that the project sets itself: size, names, words, links. Each rule is a function
// that returns what is wrong, a line each.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const lineLengthMax = 100
/** Past this a file is two ideas. Tests tell stories and may be longer. */
const sourceLinesMax = 400
const testLinesMax = 600
const vagueNames = /^(utils?|helpers?|common|misc|manager|types|index)\.(ts|mjs)$/

interface File {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

const files = trackedFiles()
const sources = files.filter(({ path }) => /\.(ts|tsx|mjs)$/.test(path))
const pages = files.filter(({ path }) => path.endsWith('.md'))
const problems = [
  ...sources.flatMap((file) => [
    ...sizes(file),
    ...names(file),
    ...words(file),
    ...publicFiles(file),
    ...stateHeader(file),
  ]),
  ...pages.flatMap((page) => [...titles(page), ...links(page)]),
  ...files.flatMap(machinePaths),
  ...apiCoverage(),
]

for (const problem of problems) console.error(problem)
console.log(`tidy: ${files.length} files, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

function trackedFiles(): File[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed
    .split('\n')
    .filter((path) => /\.(ts|tsx|mjs|md|json|go|yml)$/.test(path) && !path.includes('/fixtures/'))
    .filter((path) => path !== 'package-lock.json' && existsSync(join(root, path)))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, lines: text.split('\n') }
    })
}

function isTest(path: string): boolean {
  return /\.test\.ts$|^suites\/|\/test\//.test(path)
}

function sizes({ path, lines }: File): string[] {
  const linesMax = isTest(path) ? testLinesMax : sourceLinesMax
  const found =
    lines.length > linesMax ? [`${path}: ${lines.length} lines (limit ${linesMax})`] : []
  lines.forEach((line, index) => {
    if (line.length > lineLengthMax && !/https?:|`|'/.test(line)) {
      found.push(`${path}:${index + 1}: longer than ${lineLengthMax} columns`)
    }
  })
  return found
}

function names({ path }: File): string[] {
  return vagueNames.test(posix.basename(path))
    ? [`${path}: a file is named for its one idea, not "${posix.basename(path)}"`]
    : []
}

function words({ path, lines }: File): string[] {
  if (path === 'scripts/tidy.ts') return []
  return lines.flatMap((line, index) => {
    const at = `${path}:${index + 1}`
    const found: string[] = []
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) found.push(`${at}: work that is left is an issue`)
    if (/\b(test|it|describe|suite)\.only\b/.test(line)) found.push(`${at}: .only hides the rest`)
    if (/@ts-ignore|as unknown as|\bas any\b|: any\b/.test(line)) {
      found.push(`${at}: a cast that silences the compiler`)
    }
    if (/@ts-expect-error/.test(line) && !path.endsWith('.type-test.ts')) {
      found.push(`${at}: @ts-expect-error belongs in a .type-test.ts`)
    }
    return found
  })
}

/** A package's public file re-exports and nothing else. */
function publicFiles({ path, lines }: File): string[] {
  const match = /^(\w+)\/src\/(\w+)\.ts$/.exec(path)
  if (!match || match[1] !== match[2] || ['bench', 'cli'].includes(match[1] ?? '')) return []
  return lines.flatMap((line, index) =>
    /^(const|let|function|class|import)\b/.test(line)
      ? [`${path}:${index + 1}: the public file only re-exports`]
      : [],
  )
}

/** A file whose class keeps state says what it is before the class. */
function stateHeader({ path, text }: File): string[] {
  if (isTest(path)) return []
  const declaresState = /^(export )?class \w+[^{]*\{\n(\s+(readonly )?#)/m.test(text)
  return declaresState && !/^(\/\*\*|\/\/)/m.test(text)
    ? [`${path}: a file that holds state has a header with its invariants`]
    : []
}

function titles({ path, lines }: File): string[] {
  let fenced = false
  const found = lines.filter((line) => {
    if (line.startsWith('```')) fenced = !fenced
    return !fenced && line.startsWith('# ')
  })
  return found.length === 1 ? [] : [`${path}: has ${found.length} titles ("# …"), a page has one`]
}

function links({ path, text }: File): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    return existsSync(join(root, dirname(path), target))
      ? []
      : [`${path}: the link to ${target} leads nowhere`]
  })
}

/** What is published must not name the machine that it was written on. */
function machinePaths({ path, lines }: File): string[] {
  if (path === 'scripts/tidy.ts') return []
  return lines.flatMap((line, index) =>
    /(^|[\s"'`(=])\/(work|home|root|Users)\/\w/.test(line)
      ? [`${path}:${index + 1}: names a path of one machine`]
      : [],
  )
}

/** Every API that the broker serves is declared in wire under the same number and name. */
function apiCoverage(): string[] {
  const served = files.filter(({ path }) =>
    /^broker\/src\/apis\/\d\d-.+(?<!\.test)\.ts$/.test(path),
  )
  return served.flatMap(({ path }) => {
    const declared = `wire/src/messages/${posix.basename(path)}`
    return existsSync(join(root, declared)) ? [] : [`${path}: has no ${declared}`]
  })
}
