// HTTP for services: `startHttp` with problem details, health and a front page.
export { accepted } from './accepted.ts'
export type { HealthSource } from './health-routes.ts'
export { Problem, type ProblemDetails, type ProblemOptions } from './problem.ts'
export { correlationIdOf } from './request-correlation.ts'
export { type HttpOptions, type HttpSource, startHttp } from './start-http.ts'
