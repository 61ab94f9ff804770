import { connect, type Socket } from 'node:net'
import {
  type Api,
  decodeResponse,
  encodeRequest,
  type InputOf,
  Reader,
  type Shape,
  type ValueOf,
} from '@millrace/wire'

const lengthBytes = 4

/**
 * A connection that speaks the protocol and does nothing beside it: no metadata, no retries, no
 * time limit. Answers come in the order of the requests, and each is given to whoever asked last.
 *
 * R1. What several answers of one read lead to is written as one write.
 */
export class RawConnection implements Disposable {
  readonly #socket: Socket
  #answer: (frame: Buffer) => void = () => {}
  #failed: (error: Error) => void = () => {}
  /** The frame that is being read: its length, then its body. */
  #length = Buffer.alloc(lengthBytes)
  #lengthHas = 0
  #body: Buffer | null = null
  #bodyHas = 0

  static open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.removeListener('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => this.#failed(new Error('the server closed the connection')))
    socket.on('data', (chunk) => {
      socket.cork()
      this.#read(chunk)
      socket.uncork()
    })
  }

  /** One request, and its answer. Not while a pipeline runs. */
  request<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    apiVersion: number,
    request: InputOf<Request>,
  ): Promise<ValueOf<Response>> {
    const frame = frameOf(api, apiVersion, request)
    return new Promise((resolve, reject) => {
      this.#failed = reject
      this.#answer = (answer) =>
        resolve(decodeResponse(api, apiVersion, new Reader(answer)).response)
      this.write(frame)
    })
  }

  /**
   * Sends the frames that `next` gives, with at most `inFlight` unanswered, until it gives null
   * and all are answered. `next` is called with the answer that made room, or with null.
   */
  pipeline(inFlight: number, next: (answer: Buffer | null) => Uint8Array | null): Promise<void> {
    let open = 0
    return new Promise((resolve, reject) => {
      const sendNext = (answer: Buffer | null) => {
        const frame = next(answer)
        if (frame !== null) {
          open += 1
          this.write(frame)
        } else if (open === 0) resolve()
      }
      this.#failed = reject
      this.#answer = (answer) => {
        open -= 1
        try {
          sendNext(answer)
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      for (let count = 0; count < inFlight; count++) sendNext(null)
    })
  }

  write(frame: Uint8Array): void {
    this.#socket.write(frame)
  }

  [Symbol.dispose](): void {
    this.#failed = () => {}
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#body === null) {
        const taken = chunk.copy(this.#length, this.#lengthHas, at)
        at += taken
        this.#lengthHas += taken
        if (this.#lengthHas < lengthBytes) return
        this.#body = Buffer.allocUnsafe(this.#length.readInt32BE())
        this.#bodyHas = 0
      }
      const taken = chunk.copy(this.#body, this.#bodyHas, at)
      at += taken
      this.#bodyHas += taken
      if (this.#bodyHas < this.#body.byteLength) return
      const frame = this.#body
      this.#body = null
      this.#lengthHas = 0
      this.#answer(frame)
    }
  }
}

/** A request as one piece of bytes. */
export function frameOf<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  apiVersion: number,
  request: InputOf<Request>,
): Buffer {
  const envelope = { apiVersion, correlationId: 1, clientId: 'bench' }
  return Buffer.concat(encodeRequest(api, envelope, request).chunks)
}
