import { embeddedBackend } from './embedded-backend.ts'
import { kafkaClusters } from './kafka-clusters.ts'
import { membershipConformance } from './membership-conformance.ts'

const records = 6_000

membershipConformance({ name: 'the embedded broker, longer', open: embeddedBackend, records })
for (const cluster of kafkaClusters) membershipConformance({ ...cluster, records })
