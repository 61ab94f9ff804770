// One socket: frames in, replies out, in order.
//
// C1. Replies leave in the order of their requests.
// C2. What a connection can make the broker hold is bounded: past the limits on waiting requests
//     and unsent replies no further frame is handled, and soon the socket is not read any more.
// C3. A malformed frame ends this connection and no other, after everything before it was handled.
// C4. acks=0 gives no reply and does not stall C1.
// C5. All frames of a read are handled, then the logs write once each, then the replies leave in
//     one write; only then is the read buffer used again, because batches are views of it.

import type { Socket } from 'node:net'
import type { BrokerParts } from './broker-parts.ts'
import type { Endpoint } from './endpoint.ts'
import type { Frames } from './frames.ts'
import type { RequestContext } from './handler.ts'
import {
  connectionIdleMs,
  readAheadBytesMax,
  repliesUnsentBytesMax,
  requestsInFlightMax,
} from './limits.ts'
import { ReplyQueue, type ReplySlot } from './reply-queue.ts'
import { type Routed, route } from './router.ts'

export interface ConnectionOptions {
  /** Where what is read from the socket is put. */
  readonly frames: Frames
  readonly broker: BrokerParts
  readonly endpoint: Endpoint
}

export class Connection {
  readonly #socket: Socket
  readonly #frames: Frames
  readonly #options: ConnectionOptions
  readonly #replies: ReplyQueue
  readonly #clientHost: string
  readonly #disconnected = new Set<() => void>()
  /** A request that nothing may overtake is being answered. */
  #isHeld = false

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#frames = options.frames
    this.#clientHost = `/${socket.remoteAddress ?? ''}`
    this.#replies = new ReplyQueue(socket, () => this.handleFrames())
    socket.setNoDelay(true)
    socket.setTimeout(connectionIdleMs, () => socket.destroy())
    socket.on('drain', () => this.handleFrames())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#close())
  }

  /** Handles what has come, as far as the limits let it (C2, C5). */
  handleFrames(): void {
    if (this.#socket.destroyed) return
    try {
      // Where a limit stopped a turn and its replies have left at once, nobody would call again.
      while (this.#handleTurn() === 'limited' && !this.#isFull);
      this.#readOrWait()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Handles frames, then writes what they brought and their replies (C5), also when it throws. */
  #handleTurn(): 'limited' | 'done' {
    try {
      while (!this.#isFull) {
        const frame = this.#frames.next()
        if (frame === undefined) return 'done'
        this.#handle(frame)
      }
      return 'limited'
    } finally {
      this.#options.broker.logs.flusher.commitTurn()
      this.#replies.flush()
    }
  }

  get #isFull(): boolean {
    const unsentBytes = this.#replies.readyBytes + this.#socket.writableLength
    return (
      this.#isHeld ||
      this.#replies.waiting >= requestsInFlightMax ||
      unsentBytes >= repliesUnsentBytesMax
    )
  }

  #handle(frame: Buffer): void {
    const { broker } = this.#options
    const isIntercepted = broker.interceptors.has(frame.readInt16BE(0))
    // An intercepted request may wait for longer than the read buffer holds it.
    const routed = route(isIntercepted ? Buffer.from(frame) : frame)
    const slot = this.#replies.open()
    const answer = routed.serve(this.#contextOf(routed, slot))
    if (!(answer instanceof Promise)) {
      slot.fill(answer)
      return
    }
    const holds = isIntercepted || routed.handler.holdsConnection
    if (holds) this.#isHeld = true
    answer.then(
      (reply) => {
        if (holds) this.#isHeld = false
        slot.fill(reply)
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #contextOf({ header }: Routed, slot: ReplySlot): RequestContext {
    return {
      broker: this.#options.broker,
      apiVersion: header.apiVersion,
      clientId: header.clientId ?? '',
      clientHost: this.#clientHost,
      endpoint: this.#options.endpoint,
      borrow: (giveBack) => slot.borrow(giveBack),
      onDisconnect: (act) => {
        this.#disconnected.add(act)
        return () => this.#disconnected.delete(act)
      },
    }
  }

  /** A held connection reads a little ahead, so that it notices when the client goes. */
  #readOrWait(): void {
    const readsOn = !this.#isFull || this.#frames.pendingBytes < readAheadBytesMax
    if (readsOn && this.#socket.isPaused()) this.#socket.resume()
    if (!readsOn && !this.#socket.isPaused()) this.#socket.pause()
  }

  #fail(error: unknown): void {
    if (this.#socket.destroyed) return
    const reason = error instanceof Error ? error.message : String(error)
    this.#options.broker.report(`closed the connection of ${this.#clientHost}: ${reason}`)
    this.#socket.destroy() // C3
  }

  #close(): void {
    for (const act of this.#disconnected) act()
    this.#disconnected.clear()
    this.#replies.close()
  }
}
