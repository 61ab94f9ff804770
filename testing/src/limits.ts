/** When every schedule begins. */
export const startMs = Date.UTC(2026, 0, 1)

/** A transaction holds the only writer: the kit's own limit for SQLite. */
export const transactionHeldMsMax = 5_000

/** Steps of chaos: enough for a handful of events to go all their way, with accidents. */
export const chaosStepsMin = 40
export const chaosStepsMax = 300

/** Of them, those at which all wait for time alone: commits and sweeps are due then. */
export const quietMax = 12

/** How much more often a dependency goes wrong than a request to Kafka: it is called less. */
export const riskyTimes = 10

/** By this step every act has begun, however few the schedule drew. */
export const actStepsMax = 2_000

/** After the last fault all must be done in this time, waits for retries included. */
export const settleMsMax = 24 * 60 * 60 * 1000

/** What is left to do and stays the same for so long will stay: longer than any sweep waits. */
export const stillMsMax = 5 * 60 * 1000

/** A schedule that takes more steps goes round in circles. */
export const stepsMax = 200_000

/** A broker forgets a member that is silent so long: Kafka's default is 45 s, the kit's 10. */
export const sessionMs = 10_000

/** Nobody waits longer for a member to hand over its partitions. */
export const revokeMs = 5_000

/** A member comes back to its group so long after it has lost it. */
export const rejoinMs = 100

/** What a crashed instance takes to be back, at most: past the session, it has lost its place. */
export const restartMsMax = 20_000

/** How long Kafka, a disk or a dependency is in trouble, and an instance is paused, at most. */
export const troubleMsMax = 30_000

/** Runs and steps that the search for a shorter schedule may take: some seconds. */
export const shrinkRunsMax = 400
export const shrinkStepsMax = 200_000

/** What a database takes to see that the connection of a dead instance is gone. */
export const slotsFreeMs = 3_000

/** How far from its step an operation may be when part of its schedule was taken out. */
export const lateStepsMax = 60

/** Of a long schedule, what is printed around each deviation, and at the end. */
export const printedBefore = 12
export const printedAfter = 40
