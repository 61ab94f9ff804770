/** The address at which the clients of one listener are told to find this broker. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}
