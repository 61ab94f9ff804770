// Which segments may go. Decides only; the log deletes.

import type { LogConfig } from './log-config.ts'

export interface RetentionSegment {
  readonly size: number
  /** When its newest record is from. */
  readonly newestAtMs: number
}

export interface RetentionDecision {
  /** So many segments go, from the oldest on. */
  readonly segmentsToDelete: number
  /** The growing segment is to be closed first, because it goes too. */
  readonly closesActive: boolean
}

/**
 * Oldest first: segments whose newest record is older than `retention.ms`, and segments without
 * which the log still has `retention.bytes`. The last segment is the one that grows.
 */
export function decideRetention(
  segments: readonly RetentionSegment[],
  config: Pick<LogConfig, 'retentionMs' | 'retentionBytes'>,
  nowMs: number,
): RetentionDecision {
  let excessBytes = segments.reduce((sum, { size }) => sum + size, -config.retentionBytes)
  let segmentsToDelete = 0
  for (const [index, { size, newestAtMs }] of segments.entries()) {
    const isActive = index === segments.length - 1
    const expired = config.retentionMs >= 0 && nowMs - newestAtMs > config.retentionMs
    const excess = config.retentionBytes >= 0 && excessBytes >= size && !isActive
    if (!expired && !excess) break
    if (isActive && size === 0) break
    excessBytes -= size
    segmentsToDelete++
  }
  const closesActive = segments.length > 0 && segmentsToDelete === segments.length
  return { segmentsToDelete, closesActive }
}
