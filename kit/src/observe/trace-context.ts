import {
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { currentCorrelation } from '../correlation.ts'
import type { TraceContext } from './observer.ts'

/** W3C trace context in headers, and OpenTelemetry's spans: one in terms of the other. */

/** What stands in the headers of a record, or came with a request. */
export interface CarriedTrace {
  readonly traceparent: string | null
  readonly tracestate?: string | null
}

/** False as long as nobody has installed an OpenTelemetry SDK: then there are no spans to make. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || isDelegating(provider)
}

function isDelegating(provider: ProxyTracerProvider): boolean {
  return provider.getDelegateTracer('@millrace/kit') !== undefined
}

/** The span context that headers carry; null where they carry none, or none that is valid. */
export function spanContextOf({ traceparent, tracestate }: CarriedTrace): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = traceparentPattern.exec(traceparent ?? '') ?? []
  const carried: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  }
  if (!isSpanContextValid(carried)) return null
  if (tracestate === null || tracestate === undefined) return carried
  return { ...carried, traceState: createTraceState(tracestate) }
}

/** As it goes into headers; null for a span that is none. */
export function carriedBy(spanContext: SpanContext): TraceContext | null {
  if (!isSpanContextValid(spanContext)) return null
  const { traceId, spanId, traceFlags, traceState } = spanContext
  const flags = traceFlags.toString(16).padStart(2, '0')
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    tracestate: traceState?.serialize() || null,
  }
}

/** The active context; where it has no span, one that goes on from what was carried here. */
export function parentContext(carried: CarriedTrace): Context {
  const active = context.active()
  if (trace.getSpanContext(active) !== undefined) return active
  const remote = spanContextOf(carried)
  return remote === null ? active : trace.setSpanContext(ROOT_CONTEXT, remote)
}

/** The trace that the calling code belongs to, for its log lines. */
export function currentTraceId(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext()
  if (active !== undefined && isSpanContextValid(active)) return active.traceId
  return traceparentPattern.exec(currentCorrelation()?.traceparent ?? '')?.[1]
}

/** Version 00, and later ones, which may have more behind it. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/
