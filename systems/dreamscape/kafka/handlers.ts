import type { Dreamscape, Heard, Name } from '@millrace/dreamscape/catalogue'
import { catalogue } from '@millrace/dreamscape/catalogue'
import type { Handler, HandlerContext } from '@millrace/kit'

export type Domain = 'user' | 'auth' | 'voyage' | 'payment' | 'ai' | 'notification' | 'analytics'

/** `user.profile.updated` → `UserProfileUpdated`. */
type Joined<Words extends string> = Words extends `${infer First}.${infer Rest}`
  ? `${Capitalize<First>}${Joined<Rest>}`
  : Capitalize<Words>

/**
 * A handler for each event of a domain, all optional: `user.created` is `onUserCreated`. Each gets
 * the event and, second, the kit's context: the transaction, `publish`, `effect`, the signal.
 */
export type Handlers<D extends Domain, Tables, Opened extends object> = {
  readonly [N in Name as N extends `${D}.${string}` ? `on${Joined<N>}` : never]?: Handler<
    Dreamscape,
    N,
    Tables,
    Opened
  >
}

/** A handler whose event the compiler does not know. */
export interface NamedHandler<Tables, Opened extends object> {
  readonly name: Name
  // A method, so that a handler of one event is a handler of events in general.
  handle(event: Heard<Name>, context: HandlerContext<Dreamscape, Tables, Opened>): Promise<void>
}

/**
 * The handlers with the names of their events, as the catalogue has them. Throws a `TypeError`
 * for a name that no event of the domain has: JavaScript has no compiler that would tell.
 */
export function namedHandlers<Tables, Opened extends object>(
  domain: Domain,
  handlers: Readonly<Record<string, NamedHandler<Tables, Opened>['handle'] | undefined>>,
): readonly NamedHandler<Tables, Opened>[] {
  const names = namesOf(domain)
  return Object.entries(handlers).flatMap(([member, handle]) => {
    const name = names.get(member)
    if (name === undefined) {
      throw new TypeError(
        `no event of "${domain}" is handled by "${member}"; there is ${[...names.keys()].join(', ')}`,
      )
    }
    return handle === undefined ? [] : [{ name, handle }]
  })
}

/** By the name of their handler. */
function namesOf(domain: Domain): ReadonlyMap<string, Name> {
  const names = eventNames().filter((name) => name.startsWith(`${domain}.`))
  return new Map(names.map((name) => [handlerNameOf(name), name]))
}

function eventNames(): readonly Name[] {
  return [...catalogue.routes.keys()].filter(isName)
}

function isName(name: string): name is Name {
  return name in catalogue.events
}

function handlerNameOf(name: Name): string {
  const words = name.split('.').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
  return `on${words.join('')}`
}
