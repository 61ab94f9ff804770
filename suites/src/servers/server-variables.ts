/** How the servers of one run reach its test files, which are processes of their own. */
export const serverVariables = {
  MILLRACE_KAFKA_LIBS: 'the folder with the jars of Apache Kafka 4.3.0',
  MILLRACE_KAFKA_4: 'the bootstrap servers of an Apache Kafka 4.3.0',
  MILLRACE_KAFKA_4_SASL: 'the same, on the listener that wants SASL',
  MILLRACE_KAFKA_4_TLS: 'the same, on the listener that wants SASL over TLS',
  MILLRACE_KAFKA_4_CA: 'the PEM file of the authority that its certificate is signed by',
  MILLRACE_KAFKA_3: 'the bootstrap servers of an Apache Kafka 3.5.2 with ZooKeeper',
  MILLRACE_POSTGRES: 'the address of a PostgreSQL on which databases may be made',
} as const

export type ServerVariable = keyof typeof serverVariables

/** The value of a variable that `npm run test:all` sets. */
export function serverVariable(name: ServerVariable): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set (${serverVariables[name]}): run \`npm run test:all\``)
  }
  return value
}
