import { embeddedBackend } from './embedded-backend.ts'
import { membershipConformance } from './membership-conformance.ts'
import { memoryBackend } from './memory-backend.ts'

const records = 300

membershipConformance({ name: 'memory', open: memoryBackend, records })
membershipConformance({ name: 'the embedded broker', open: embeddedBackend, records })
