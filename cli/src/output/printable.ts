const strict = new TextDecoder('utf-8', { fatal: true })

/** Bytes as text; undefined where they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Bytes on one line that a terminal can show. JSON that was written over several lines comes out
 * on one and is still the same JSON; in other text control characters are escaped, because a
 * record could otherwise command the terminal. What is not UTF-8 is shown in base64.
 */
export function printable(bytes: Uint8Array): string {
  const text = textOf(bytes)
  if (text === undefined) return `base64:${Buffer.from(bytes).toString('base64')}`
  return printableText(isJson(text) ? text.replaceAll(/[\t\r\n]+\s*/g, ' ').trim() : text)
}

/** Text on one line without control characters. */
export function printableText(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, escaped)
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return shortEscapes[character] ?? `\\u${code.toString(16).padStart(4, '0')}`
}

/** Only objects and arrays can span lines; control characters inside strings are not JSON. */
function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
