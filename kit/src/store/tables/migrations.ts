/** Which migrations a database has seen: the kit's and the service's, each under its owner. */
export interface MigrationTables {
  millrace_migrations: { owner: string; name: string; applied_at_ms: number }
}
