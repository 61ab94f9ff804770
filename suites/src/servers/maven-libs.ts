import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { cacheFolder, repositoryRoot } from './cache-folder.ts'
import { bringPrograms } from './debian-packages.ts'
import { withProgress } from './progress.ts'
import { runChecked } from './run-command.ts'

/** `groupId:artifactId:version`, as Maven writes it. */
export type Artifact = `${string}:${string}:${string}`

export const javaPrograms = [
  { program: 'java', debianPackage: 'openjdk-17-jre-headless' },
  { program: 'mvn', debianPackage: 'maven' },
]

/**
 * The folder with the jars of these artifacts and of all that they need. Maven brings them on
 * the first call; later calls find them in the cache.
 */
export async function bringMavenLibs(
  name: string,
  artifacts: readonly Artifact[],
): Promise<string> {
  const folder = cacheFolder(name)
  const libs = join(folder, 'libs')
  const stamp = join(folder, 'complete.xml')
  const pom = pomOf(name, artifacts)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === pom) return libs

  await bringPrograms(javaPrograms)
  const pomFile = join(folder, 'pom.xml')
  rmSync(libs, { recursive: true, force: true })
  writeFileSync(pomFile, pom)
  await withProgress(
    `Bringing ${artifacts[0]} with Maven into ${relative(repositoryRoot, libs)}`,
    async () => {
      await runChecked(
        'mvn',
        // biome-ignore format: a command line
        ['-q', '-B', '-f', pomFile, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${libs}`],
        { timeoutMs: 600_000 },
      )
    },
  )
  writeFileSync(stamp, pom)
  return libs
}

function pomOf(name: string, artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [groupId, artifactId, version] = artifact.split(':')
    return `    <dependency>
      <groupId>${groupId}</groupId>
      <artifactId>${artifactId}</artifactId>
      <version>${version}</version>
    </dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>${name}</artifactId><version>1</version>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
