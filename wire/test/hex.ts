/** Bytes written as hex with spaces between the fields, for people. */
export function fromHex(spaced: string): Buffer {
  return Buffer.from(spaced.replaceAll(/\s/g, ''), 'hex')
}

/** The same hex without its spaces, to compare with. */
export function packed(spaced: string): string {
  return spaced.replaceAll(/\s/g, '')
}
