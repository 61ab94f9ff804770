/** Kafka's numbers for what has configs. */
export const resourceTypes = { topic: 2, broker: 4 } as const
