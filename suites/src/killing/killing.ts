// `@millrace/suites/killing`: processes that die and are started again, at moments drawn by chance.

export { freePorts } from '../servers/free-ports.ts'
export { Child, type ChildOptions } from './child.ts'
export { drawBetween, seededRandom, shuffled } from './seeded-random.ts'
