import { deliveryConformance } from './delivery-conformance.ts'
import { kafkaClusters } from './kafka-clusters.ts'

for (const cluster of kafkaClusters) deliveryConformance(cluster)
