import { kafkaClusters } from './kafka-clusters.ts'
import { transportConformance } from './transport-conformance.ts'

for (const cluster of kafkaClusters) transportConformance(cluster)
