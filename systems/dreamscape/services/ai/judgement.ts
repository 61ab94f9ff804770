// What is made of likings. Pure.
import type { PayloadOf } from '../../catalogue.ts'
import { recommendedMax, travellerPointsMin } from '../../limits.ts'
import type { Liking } from './likings.ts'

/** What one likes oneself comes first, then what everybody likes. */
export function recommend(own: readonly Liking[], all: readonly Liking[]): readonly string[] {
  const destinations = [...own, ...all].map(({ destination }) => destination)
  return [...new Set(destinations)].slice(0, recommendedMax)
}

export interface Prediction {
  readonly destination: string
  /** Of all points but those of the trip that is booked already. */
  readonly confidence: number
}

/** Where somebody goes after this trip: the best liked of the rest. Null where there is none. */
export function predictNext(own: readonly Liking[], booked: string): Prediction | null {
  const rest = own.filter(({ destination }) => destination !== booked)
  const [best] = rest
  if (best === undefined) return null
  const sum = rest.reduce((points, liking) => points + liking.points, 0)
  return { destination: best.destination, confidence: best.points / sum }
}

type Behaviour = Omit<PayloadOf<'ai.user.behavior.analyzed'>, 'userId'>

export function analyse(own: readonly Liking[]): Behaviour {
  const points = own.reduce((sum, liking) => sum + liking.points, 0)
  return { segment: segmentOf(points), favourite: own[0]?.destination ?? null }
}

function segmentOf(points: number): Behaviour['segment'] {
  if (points === 0) return 'newcomer'
  return points < travellerPointsMin ? 'dreamer' : 'traveller'
}
