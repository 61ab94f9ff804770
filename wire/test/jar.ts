import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const endSignature = 0x06054b50
const endBytes = 22
const entrySignature = 0x02014b50
const entryBytes = 46
const localHeaderBytes = 30
const stored = 0

/** The text files of a jar (a zip) whose names the filter takes, by name. */
export function readJar(path: string, wanted: (name: string) => boolean): Map<string, string> {
  const jar = readFileSync(path)
  const end = jar.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), jar.length - endBytes)
  if (end === -1 || jar.readUInt32LE(end) !== endSignature) {
    throw new Error(`${path} is no jar: it has no list of its files at the end`)
  }
  const files = new Map<string, string>()
  let at = jar.readUInt32LE(end + 16)
  for (let left = jar.readUInt16LE(end + 10); left > 0; left--) {
    if (jar.readUInt32LE(at) !== entrySignature) throw new Error(`${path} is damaged at byte ${at}`)
    const nameLength = jar.readUInt16LE(at + 28)
    const name = jar.toString('utf8', at + entryBytes, at + entryBytes + nameLength)
    if (wanted(name)) files.set(name, contentOf(jar, at))
    at += entryBytes + nameLength + jar.readUInt16LE(at + 30) + jar.readUInt16LE(at + 32)
  }
  return files
}

function contentOf(jar: Buffer, entry: number): string {
  const local = jar.readUInt32LE(entry + 42)
  const start =
    local + localHeaderBytes + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28)
  const bytes = jar.subarray(start, start + jar.readUInt32LE(entry + 20))
  return (jar.readUInt16LE(entry + 10) === stored ? bytes : inflateRawSync(bytes)).toString('utf8')
}
