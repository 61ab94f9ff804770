import { embeddedBackend } from './embedded-backend.ts'
import { memoryBackend } from './memory-backend.ts'
import { transportConformance } from './transport-conformance.ts'

transportConformance({ name: 'memory', open: memoryBackend })
transportConformance({ name: 'the embedded broker', open: embeddedBackend })
