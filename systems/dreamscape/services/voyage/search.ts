// Search and select: what leads to a booking.
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from 'kysely'
import { problems } from '../problems.ts'
import type { VoyageParts } from './http.ts'
import { findFlight, findHotel, flights, hotels } from './offers.ts'
import * as requests from './requests.ts'
import type { VoyageTables } from './tables.ts'

export function searchRoutes(http: FastifyInstance, parts: VoyageParts): void {
  selectionRoutes(http, parts)
  const { running, tokens } = parts

  http.get('/search', { config: notes.search }, async ({ headers, query }) => {
    const session = await tokens.readIfAny(headers)
    const { to = null } = await accepted(requests.search, query)
    const isWanted = ({ destination }: { destination: string }) => to === null || destination === to
    const found = flights.filter(isWanted)
    const visitorId = session?.userId ?? 'visitor'
    const payload = { visitorId, destination: to, found: found.length }
    await running.transaction(({ publish }) => publish('voyage.search.performed', { payload }))
    const seats = await running.read.selectFrom('seats').selectAll().execute()
    const left = new Map(seats.map((seat) => [seat.flightId, seat.left]))
    return {
      flights: found.map((flight) => ({ ...flight, seats: left.get(flight.flightId) ?? 0 })),
      hotels: hotels.filter(isWanted),
      ...(session === null ? {} : { youMayLike: await predicted(parts, session.userId) }),
    }
  })
}

async function predicted({ running }: VoyageParts, userId: string): Promise<string | null> {
  const prediction = await running.read
    .selectFrom('predictions')
    .select('destination')
    .where('userId', '=', userId)
    .executeTakeFirst()
  return prediction?.destination ?? null
}

function selectionRoutes(http: FastifyInstance, { running, tokens }: VoyageParts): void {
  http.post('/selections/flight', { config: notes.flight }, async ({ headers, body }) => {
    const { userId } = await tokens.read(headers)
    const { flightId } = await accepted(requests.flightChoice, body)
    const flight = findFlight(flightId)
    if (flight === undefined) throw problems.unknownOffer('flight', flightId)
    const { destination } = flight
    return running.transaction(async ({ db, publish }) => {
      // Another flight is another trip: the hotel is chosen anew.
      const selection = { flightId, hotelId: null, nights: 0 }
      await db
        .insertInto('selections')
        .values({ userId, ...selection })
        .onConflict((conflict) => conflict.column('userId').doUpdateSet(selection))
        .execute()
      await publish('voyage.flight.selected', { payload: { userId, flightId, destination } })
      return selection
    })
  })

  http.post('/selections/hotel', { config: notes.hotel }, async ({ headers, body }) => {
    const { userId } = await tokens.read(headers)
    const { hotelId, nights } = await accepted(requests.hotelChoice, body)
    const hotel = findHotel(hotelId)
    if (hotel === undefined) throw problems.unknownOffer('hotel', hotelId)
    return running.transaction(async ({ db, publish }) => {
      const { flightId } = await selectedFlight(db, userId)
      const destination = findFlight(flightId)?.destination ?? ''
      if (hotel.destination !== destination) throw problems.elsewhere(hotelId, destination)
      await db
        .updateTable('selections')
        .set({ hotelId, nights })
        .where('userId', '=', userId)
        .execute()
      await publish('voyage.hotel.selected', { payload: { userId, hotelId, destination, nights } })
      return { flightId, hotelId, nights }
    })
  })
}

async function selectedFlight(db: Transaction<VoyageTables>, userId: string) {
  const selected = await db
    .selectFrom('selections')
    .select('flightId')
    .where('userId', '=', userId)
    .executeTakeFirst()
  if (selected === undefined) throw problems.nothingSelected()
  return selected
}

const needsToken = true

/** What the front page says of each route. */
const notes = {
  search: { about: 'Flights and hotels; ?to=lisbon for one place. A token is not needed' },
  flight: { about: 'Choose a flight', needsToken, example: { flightId: 'paris-lisbon' } },
  hotel: { about: 'Choose a hotel there', needsToken, example: { hotelId: 'alfama', nights: 3 } },
}
