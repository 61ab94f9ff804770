import { deliveryConformance } from './delivery-conformance.ts'
import { embeddedBackend } from './embedded-backend.ts'
import { memoryBackend } from './memory-backend.ts'

deliveryConformance({ name: 'memory', open: memoryBackend })
deliveryConformance({ name: 'the embedded broker', open: embeddedBackend })
