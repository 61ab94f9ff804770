// What can be booked: a handful of flights and hotels. Pure.

export interface Flight {
  readonly flightId: string
  readonly destination: string
  readonly from: string
  readonly priceCents: number
  readonly seats: number
}

export interface Hotel {
  readonly hotelId: string
  readonly destination: string
  readonly nightCents: number
}

export const flights: readonly Flight[] = [
  flight('paris-lisbon', 18_900, 40),
  flight('paris-oslo', 21_500, 40),
  flight('paris-kyoto', 89_000, 40),
  flight('berlin-lisbon', 20_900, 40),
  // One seat, so that somebody comes too late.
  flight('zurich-kyoto', 120_000, 1),
]

export const hotels: readonly Hotel[] = [
  { hotelId: 'alfama', destination: 'lisbon', nightCents: 9_000 },
  { hotelId: 'fjord', destination: 'oslo', nightCents: 14_000 },
  { hotelId: 'gion', destination: 'kyoto', nightCents: 17_500 },
]

export function findFlight(wanted: string): Flight | undefined {
  return flights.find(({ flightId }) => flightId === wanted)
}

export function findHotel(wanted: string): Hotel | undefined {
  return hotels.find(({ hotelId }) => hotelId === wanted)
}

/** What somebody wants: a flight there, and perhaps a hotel for some nights. */
export interface Selection {
  readonly flightId: string
  readonly hotelId: string | null
  readonly nights: number
}

export function priceOf({ flightId, hotelId, nights }: Selection): number {
  const hotel = hotelId === null ? undefined : findHotel(hotelId)
  return (findFlight(flightId)?.priceCents ?? 0) + (hotel?.nightCents ?? 0) * nights
}

function flight(flightId: string, priceCents: number, seats: number): Flight {
  const [from = '', destination = ''] = flightId.split('-')
  return { flightId, from, destination, priceCents, seats }
}
