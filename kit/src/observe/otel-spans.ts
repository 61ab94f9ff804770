import {
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Correlation } from '../correlation.ts'
import { spanLinksMax } from './limits.ts'
import type {
  Attempt,
  AttemptOutcome,
  Observer,
  PublishedEvent,
  SentBatch,
  TraceContext,
} from './observer.ts'
import type { DescribeMessaging } from './otel-attributes.ts'
import { carriedBy, isTracing, parentContext, spanContextOf } from './trace-context.ts'

export interface OtelOptions {
  readonly group: string
  readonly describe: DescribeMessaging
}

/**
 * Spans by OpenTelemetry's conventions for messaging: `create <topic>` where an event is
 * published, whose context the record carries; `send <topic>` for a batch of the relay, linked to
 * what it carries; `process <topic>` around each run of a handler.
 *
 * T1. A run of one live event is the child of its `create`, so that a chain is one trace. A batch,
 *     and an event that comes back from the store, begin a trace of their own, linked to where
 *     they came from: one has several parents, the other's may have ended days ago.
 * T2. Without an SDK nothing is made, and what a cause carried is passed on as it came.
 */
export class OtelSpans implements Observer {
  readonly #tracer: Tracer = trace.getTracer('@millrace/kit')
  readonly #options: OtelOptions
  readonly #running = new WeakMap<Attempt, { readonly span: Span; readonly within: Context }>()

  constructor(options: OtelOptions) {
    this.#options = options
  }

  propagate(event: PublishedEvent, correlation: Correlation): TraceContext | null {
    if (!isTracing()) return null // T2
    const { topic, eventId: messageId } = event
    const { correlationId: conversationId } = correlation
    const span = this.#tracer.startSpan(
      `create ${topic}`,
      {
        kind: SpanKind.PRODUCER,
        attributes: this.#describe({ operation: 'create', topic, messageId, conversationId }),
      },
      parentContext(correlation),
    )
    span.end()
    return carriedBy(span.spanContext())
  }

  sent({ place: { topic, partition }, records, outcome, startedAtMs, endedAtMs }: SentBatch): void {
    if (!isTracing()) return
    const links = linksTo(
      records.map(({ headers: { traceparent = null, tracestate = null } }) => ({
        traceparent,
        tracestate,
      })),
    )
    const errorType = outcome.kind === 'sent' ? {} : { errorType: outcome.code }
    const facts = { operation: 'send' as const, topic, partition, messages: records.length }
    const span = this.#tracer.startSpan(
      `send ${topic}`,
      {
        kind: SpanKind.CLIENT,
        links,
        startTime: startedAtMs,
        attributes: this.#describe({ ...facts, ...errorType }),
      },
      ROOT_CONTEXT,
    )
    if (outcome.kind !== 'sent') fail(span, outcome.message)
    span.end(endedAtMs)
  }

  attempting(attempt: Attempt): void {
    if (!isTracing()) return
    const { deliveries, startedAtMs } = attempt
    const [first] = deliveries
    if (first === undefined) return
    const isAlone = deliveries.length === 1
    const { topic, partition, offset } = first.record
    const { group } = this.#options
    const own = isAlone
      ? {
          partition,
          offset: Number(offset),
          messageId: first.event.eventId,
          ...(first.event.correlationId === null
            ? {}
            : { conversationId: first.event.correlationId }),
        }
      : { messages: deliveries.length }
    const parent = isAlone && first.source.kind === 'live' ? spanContextOf(first) : null // T1
    const span = this.#tracer.startSpan(
      `process ${topic}`,
      {
        kind: SpanKind.CONSUMER,
        links: linksTo(deliveries),
        startTime: startedAtMs,
        attributes: this.#describe({ operation: 'process', topic, group, ...own }),
      },
      parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    )
    this.#running.set(attempt, { span, within: trace.setSpan(context.active(), span) })
  }

  around<Result>(attempt: Attempt, work: () => Result): Result {
    const running = this.#running.get(attempt)
    return running === undefined ? work() : context.with(running.within, work)
  }

  attempted(attempt: Attempt, outcome: AttemptOutcome, atMs: number): void {
    const running = this.#running.get(attempt)
    if (running === undefined) return
    this.#running.delete(attempt)
    const { span } = running
    if (outcome.kind === 'failed') {
      span.setAttribute('error.type', errorTypeOf(outcome.failure.signature))
      fail(span, outcome.failure.message)
    }
    span.end(atMs)
  }

  get #describe(): DescribeMessaging {
    return this.#options.describe
  }
}

/** The error's name and code, without its words. */
export function errorTypeOf(signature: string): string {
  return signature.split(':')[0] ?? signature
}

function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

function linksTo(carried: readonly Parameters<typeof spanContextOf>[0][]): Link[] {
  return carried.slice(0, spanLinksMax).flatMap((one) => {
    const linked = spanContextOf(one)
    return linked === null ? [] : [{ context: linked }]
  })
}
