// How bytes come from a socket into `Frames`: straight into its buffer (`onread`), or, where
// Node's internals are not as expected, in chunks of Node's own that are copied there once.

import { Socket } from 'node:net'
import { Frames } from './frames.ts'

/** How to read: `arena` only where the runtime can, `chunks` anywhere. */
export type ReadStrategy = 'arena' | 'chunks'

/** Told that bytes have come; its frames are views of the buffer until it returns. */
export interface FrameReader {
  handleFrames(): void
}

/**
 * Takes over an accepted, paused socket and starts to read it. `open` makes the reader for the
 * socket that it is given: an accepted socket gets a buffer of ours only by being wrapped anew.
 */
export function readSocket(
  accepted: Socket,
  strategy: ReadStrategy,
  open: (socket: Socket, frames: Frames) => FrameReader,
): void {
  const handle: unknown = Reflect.get(accepted, '_handle')
  if (strategy === 'arena' && takesBuffer(handle)) readIntoArena(accepted, handle, open)
  else readChunks(accepted, open)
}

function readChunks(socket: Socket, open: (socket: Socket, frames: Frames) => FrameReader): void {
  const frames = new Frames()
  const reader = open(socket, frames)
  socket.on('data', (chunk: Buffer) => {
    frames.feed(chunk)
    reader.handleFrames()
  })
  socket.resume()
}

/** `useUserBuffer` is what `onread` calls on a handle; Node documents it for clients only. */
function takesBuffer(handle: unknown): handle is object {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    typeof Reflect.get(handle, 'useUserBuffer') === 'function'
  )
}

function readIntoArena(
  accepted: Socket,
  handle: object,
  open: (socket: Socket, frames: Frames) => FrameReader,
): void {
  const frames = new Frames()
  const reading: { reader?: FrameReader } = {}
  const onread = {
    buffer: () => frames.space(),
    callback: (count: number) => {
      frames.filled(count)
      reading.reader?.handleFrames()
      return true
    },
  }
  const socket: unknown = Reflect.construct(Socket, [{ handle, onread, pauseOnCreate: true }])
  if (!(socket instanceof Socket)) throw new TypeError('the wrapped socket is none')
  // The accepted socket is an empty shell from here on: it must not close what it does not have,
  // and its server counts the new one in its place.
  Reflect.set(accepted, '_handle', null)
  Reflect.set(socket, '_server', Reflect.get(accepted, '_server'))
  Reflect.set(socket, 'server', Reflect.get(accepted, 'server'))
  reading.reader = open(socket, frames)
  socket.resume()
}
