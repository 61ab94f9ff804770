import { type Command, dataOption, jsonOption, UsageError, yesOption } from '../command.ts'
import { databasesOf, dataDirectoryAt, emptyDataDirectory } from '../host/data-directory.ts'
import { jsonLine } from '../output/json.ts'

export const command: Command = {
  positionals: [],
  options: { data: dataOption, yes: yesOption, json: jsonOption },
  notes: [
    'It refuses while a host or a service uses the directory. Logs stay. A Kafka that ' +
      'KAFKA_BROKERS names is left alone.',
  ],
  examples: ['millrace reset', 'millrace reset --yes --data ./elsewhere'],
  async run(input, terminal) {
    const paths = dataDirectoryAt(input.text('data'), terminal.currentDirectory)
    if (!input.flag('yes')) {
      if (!terminal.interactive) {
        throw new UsageError('there is no terminal to ask at: say --yes to empty it')
      }
      const databases = databasesOf(paths).length
      const question = `Remove the broker's data and ${databases} databases in ${paths.root}?`
      if (!(await terminal.confirm(question))) {
        terminal.note('nothing was removed')
        return 1
      }
    }
    const removed = emptyDataDirectory(paths, Date.now())
    if (input.flag('json')) await terminal.print(jsonLine({ directory: paths.root, removed }))
    else await terminal.print(removed ? emptied(paths.root) : `There was nothing in ${paths.root}.`)
    return 0
  },
}

function emptied(root: string): string {
  return `Broker and databases in ${root} are empty; the next start begins anew.`
}
