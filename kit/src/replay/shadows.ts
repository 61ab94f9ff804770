// `@millrace/kit/shadow`: a changed service beside the present one, before it is deployed.

export type { Write } from './captured-writes.ts'
export type { ShadowComparison, ShadowDifference, ShadowExample } from './compare-shadows.ts'
export { runShadow, type ShadowRequest } from './shadow.ts'
