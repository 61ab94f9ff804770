/**
 * The epoch of every leader, which every batch bears: with one node, leadership never moves. It is
 * also in the data, so that another value would make recovery cut all batches.
 */
export const leaderEpoch = 0
