/** Environment variables, as a host hands them to its services. */
export type Environment = Readonly<Record<string, string | undefined>>
