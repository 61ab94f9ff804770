// Replies of one connection on their way out.
//
// C1. Replies leave in the order of their requests, also when a later one is ready first.
//     A request without a reply (acks=0) leaves the queue without holding up those behind it (C4).
// Q1. All replies that are ready leave in one write: at the end of the read event, or, when a disk
//     or a timer made them ready, once everything else of that moment has been handled.
// Q2. What a reply borrowed (pooled buffers of a fetch) is given back exactly once: when the socket
//     has taken the bytes, or when it is gone.

import type { Socket } from 'node:net'
import type { Encoded } from '@millrace/wire'

/** The request gets no reply at all, and those behind it do not wait for one (C4). */
export const noReply = Symbol('no reply')

/** What came of a request: the bytes of its reply, or nothing to say. */
export type Reply = Encoded | undefined

type SlotState = { readonly kind: 'open' } | { readonly kind: 'filled'; readonly reply: Reply }

/** The place of one request in the order of replies. */
export class ReplySlot {
  readonly #queue: ReplyQueue
  readonly borrowed: (() => void)[] = []
  #state: SlotState = { kind: 'open' }

  constructor(queue: ReplyQueue) {
    this.#queue = queue
  }

  get state(): SlotState {
    return this.#state
  }

  /** The reply will hold bytes that are to be given back when it has left. */
  borrow(giveBack: () => void): void {
    if (this.#queue.closed) giveBack()
    else this.borrowed.push(giveBack)
  }

  /** The reply is ready; it leaves when those before it have left. */
  fill(reply: Reply): void {
    this.#state = { kind: 'filled', reply }
    this.#queue.filled(reply)
  }
}

export class ReplyQueue {
  readonly #socket: Socket
  readonly #onFlushed: () => void
  readonly #lent = new Set<() => void>()
  #slots: ReplySlot[] = []
  #readyBytes = 0
  #scheduled = false
  #closed = false

  /** `onFlushed` is told after replies that came late have left. */
  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket
    this.#onFlushed = onFlushed
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Requests that wait for their reply. */
  get waiting(): number {
    return this.#slots.length
  }

  /** Bytes of the replies that are ready and have not left. */
  get readyBytes(): number {
    return this.#readyBytes
  }

  /** Takes the next place in the order. */
  open(): ReplySlot {
    const slot = new ReplySlot(this)
    this.#slots.push(slot)
    return slot
  }

  /** A reply is ready: flushes once the callbacks and promises of this moment have run (Q1). */
  filled(reply: Reply): void {
    this.#readyBytes += reply?.byteLength ?? 0
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => {
      if (!this.#scheduled) return
      this.flush()
      this.#onFlushed()
    })
  }

  /** Writes all replies that are ready and have nobody before them. */
  flush(): void {
    this.#scheduled = false
    const ready = this.#takeReady()
    if (ready.length === 0) return
    const chunks: Uint8Array[] = []
    const borrowed: (() => void)[] = []
    for (const { slot, reply } of ready) {
      if (reply !== undefined) for (const chunk of reply.chunks) chunks.push(chunk)
      for (const giveBack of slot.borrowed) borrowed.push(giveBack)
    }
    this.#write(coalesced(chunks), borrowed)
  }

  /** The socket is gone: nothing leaves any more, and what was borrowed goes back (Q2). */
  close(): void {
    this.#closed = true
    const slots = this.#slots
    this.#slots = []
    for (const slot of slots) for (const giveBack of slot.borrowed) giveBack()
    for (const giveBack of this.#lent) giveBack()
    this.#lent.clear()
  }

  #takeReady(): { readonly slot: ReplySlot; readonly reply: Reply }[] {
    const ready: { readonly slot: ReplySlot; readonly reply: Reply }[] = []
    for (const slot of this.#slots) {
      if (slot.state.kind === 'open') break
      const { reply } = slot.state
      this.#readyBytes -= reply?.byteLength ?? 0
      ready.push({ slot, reply })
    }
    this.#slots.splice(0, ready.length)
    return ready
  }

  #write(chunks: readonly Uint8Array[], borrowed: readonly (() => void)[]): void {
    const last = chunks.at(-1)
    if (last === undefined || this.#socket.destroyed) {
      for (const giveBack of borrowed) giveBack()
      return
    }
    for (const giveBack of borrowed) this.#lent.add(giveBack)
    const taken = (): void => {
      for (const giveBack of borrowed) if (this.#lent.delete(giveBack)) giveBack()
    }
    if (chunks.length === 1) {
      this.#socket.write(last, taken)
      return
    }
    this.#socket.cork()
    for (const chunk of chunks.slice(0, -1)) this.#socket.write(chunk)
    this.#socket.write(last, taken)
    this.#socket.uncork()
  }
}

/** Chunks below this are copied together: that is cheaper than one more entry of a writev. */
const copiedBytesMax = 4096

function coalesced(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length < 2) return chunks
  const joined: Uint8Array[] = []
  let small: Uint8Array[] = []
  const flushSmall = (): void => {
    const [only] = small
    if (only !== undefined) joined.push(small.length === 1 ? only : Buffer.concat(small))
    small = []
  }
  for (const chunk of chunks) {
    if (chunk.byteLength < copiedBytesMax) small.push(chunk)
    else {
      flushSmall()
      joined.push(chunk)
    }
  }
  flushSmall()
  return joined
}
