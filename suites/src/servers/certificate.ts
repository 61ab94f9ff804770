import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runChecked } from './run-command.ts'

export interface ServerCertificate {
  /** Private key and certificates in one file, as Kafka's PEM keystore wants them. */
  readonly keystore: string
  /** The authority that signed it, which a client is to trust. */
  readonly ca: string
}

/** A certificate of `localhost` and 127.0.0.1, signed by an authority of its own, for a month. */
export async function makeCertificate(folder: string): Promise<ServerCertificate> {
  const openssl = (command: string) => runChecked('openssl', command.split(' '), { folder })
  const key = '-newkey rsa:2048 -nodes'
  await openssl(`req -x509 ${key} -days 30 -subj /CN=authority -keyout ca-key.pem -out ca.pem`)
  await openssl(`req ${key} -subj /CN=localhost -keyout key.pem -out request.pem`)
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1\n'
  await writeFile(join(folder, 'names.cnf'), names)
  const authority = '-CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile names.cnf'
  await openssl(`x509 -req -in request.pem -days 30 ${authority} -out certificate.pem`)
  const files = ['key.pem', 'certificate.pem', 'ca.pem'].map((name) => join(folder, name))
  const keystore = join(folder, 'keystore.pem')
  await writeFile(keystore, (await Promise.all(files.map((file) => readFile(file)))).join(''))
  return { keystore, ca: join(folder, 'ca.pem') }
}
