// `npm run build`: the packages that users install, as plain JavaScript with declarations, because
// Node strips no types inside node_modules. Each goes into its own `dist/`, with the package.json
// that is published beside it, and from there into a tarball in `dist/` at the root.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Dependencies first. */
const packages = ['wire', 'broker', 'kit', 'testing', 'cli']
const notPublished = ['**/*.test.ts', '**/*.type-test.ts', '**/fixtures/**']

const root = resolve(import.meta.dirname, '..')
const emitted = join(root, '.cache', 'build')
const tarballs = join(root, 'dist')

rmSync(emitted, { recursive: true, force: true })
rmSync(tarballs, { recursive: true, force: true })
mkdirSync(emitted, { recursive: true })
mkdirSync(tarballs)
compile()
for (const name of packages) {
  assemble(name)
  pack(name)
}

/** One program for all packages: what one says of another's types is checked across them. */
function compile(): void {
  const project = join(emitted, 'tsconfig.json')
  const configuration = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rootDir: root,
      outDir: emitted,
      typeRoots: [join(root, 'node_modules', '@types')],
    },
    include: packages.map((name) => join(root, name, 'src')),
    exclude: notPublished.map((pattern) => join(root, pattern)),
  }
  writeFileSync(project, JSON.stringify(configuration))
  run('tsc', ['--project', project], root)
}

function assemble(name: string): void {
  const source = join(root, name)
  const target = join(source, 'dist')
  rmSync(target, { recursive: true, force: true })
  cpSync(join(emitted, name, 'src'), target, { recursive: true })
  for (const file of globSync('**/*.d.ts', { cwd: target })) {
    const path = join(target, file)
    writeFileSync(path, withBuiltImports(readFileSync(path, 'utf8')))
  }
  // Pages, styles and icons stand beside the code that serves them.
  for (const file of globSync('**/*.*', { cwd: join(source, 'src'), exclude: notPublished })) {
    if (!file.endsWith('.ts')) copy(join(source, 'src', file), join(target, file))
  }
  for (const file of globSync('{bin/**/*.mjs,README.md}', { cwd: source })) {
    copy(join(source, file), join(target, file))
  }
  copy(join(root, 'LICENSE'), join(target, 'LICENSE'))
  const published = publishedManifest(
    JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')),
  )
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

/** tsc rewrites the extensions of relative imports in the code, and leaves them in declarations. */
function withBuiltImports(declarations: string): string {
  return declarations.replaceAll(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2')
}

interface Manifest {
  readonly exports?: Readonly<Record<string, string>> | undefined
  readonly devDependencies?: unknown
  readonly [field: string]: unknown
}

/** In the repository `exports` names the sources; users get what was made of them. */
function publishedManifest(manifest: Manifest): Manifest {
  const built = Object.entries(manifest.exports ?? {}).map(([path, source]) => {
    const stem = source.replace(/^\.\/src\//, './').replace(/\.ts$/, '')
    return [path, { types: `${stem}.d.ts`, default: `${stem}.js` }]
  })
  return {
    ...manifest,
    exports: built.length === 0 ? undefined : Object.fromEntries(built),
    devDependencies: undefined,
    files: ['**/*'],
  }
}

function pack(name: string): void {
  const folder = join(root, name, 'dist')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const options = ['--pack-destination', tarballs, '--silent', '--ignore-scripts']
  console.log(`dist/${run(npm, ['pack', ...options], folder).trim()}`)
}

function copy(from: string, to: string): void {
  if (!existsSync(dirname(to))) mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}

function run(command: string, args: readonly string[], folder: string): string {
  const { status, stdout } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return stdout
  console.error(`${stdout}\n${command} failed in ${folder}: nothing is packed after it`)
  return process.exit(1)
}
