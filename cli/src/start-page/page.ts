import type { Hint } from '@millrace/kit'
import type { HostOverview, KafkaPlace, OperatingLines, SystemOverview } from '../host/overview.ts'
import { type Html, html } from './html.ts'
import type { LiveStatus, TopicStatus } from './live-status.ts'

/** The whole page. Without scripts it loads itself anew; with them only its live part changes. */
export function startPage(overview: HostOverview, status: LiveStatus): string {
  const { systems, kafka, lines, dataDirectory, logFile } = overview
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<header>
<h1>Millrace</h1>
<p>${kafkaLine(kafka)}</p>
</header>
<main>
<div id="live" aria-live="polite">${livePart(overview, status)}</div>
${systems.map((system) => hintsOf('Try first', system, system.tryFirst))}
${systems.map((system) => hintsOf('Make it fail', system, system.failOnPurpose))}
${fromTheTerminal(lines)}
<section>
<h2>Where things lie</h2>
<dl>
<dt>Data</dt><dd><code>${dataDirectory}</code></dd>
<dt>Log</dt><dd><code>${logFile}</code></dd>
</dl>
<p>Stop with Ctrl-C; the next start finds everything. Start over, with broker and
databases empty:</p>
${commandLine(lines.reset)}
</section>
<section>
<h2>Use a real Kafka</h2>
<p>The services speak Kafka's protocol. Name a Kafka and they use it; the embedded broker then
stays off. <code>KAFKA_SSL</code>, <code>KAFKA_SASL_USERNAME</code>,
<code>KAFKA_SASL_PASSWORD</code> and <code>KAFKA_SASL_MECHANISM</code> open one that is
protected.</p>
${commandLine(lines.useKafka)}
</section>
</main>
</body>
</html>
`
  return page.text
}

function kafkaLine({ kind, brokers }: KafkaPlace): Html {
  if (kind === 'off') return html`Kafka is switched off (KAFKA_ENABLED is false)`
  const where = kind === 'embedded' ? 'the embedded broker' : 'from KAFKA_BROKERS'
  return html`Kafka at ${brokers.map((broker) => html`<code>${broker}</code> `)} (${where})`
}

/** What is shown anew every few seconds. */
export function livePart(overview: HostOverview, status: LiveStatus): Html {
  return html`${overview.systems.map((system) => systemSection(system, status))}
${topicsSection(status)}
${deadLettersSection(status, overview.lines)}`
}

function systemSection(system: SystemOverview, { services }: LiveStatus): Html {
  return html`<section>
<h2>${system.name}</h2>
<p>${system.title}</p>
<ul class="places">
${system.services.map(({ name, url }) => {
  const health = services.get(name) ?? { state: 'down', detail: 'not started' }
  return html`<li><span class="state ${health.state}">${health.state}</span>
<a href="${url}">${name}</a> <span class="address">${url}</span>
<span class="detail">${health.detail}</span></li>
`
})}
${system.servers.map(
  ({ name, title, page, ports }) => html`<li><span class="state up">up</span>
${page === undefined ? name : html`<a href="${page}">${name}</a>`}
<span class="address">${page}</span>
<span class="detail">${title}${ports.map((port) => html`, ${port}`)}</span></li>
`,
)}
</ul>
</section>
`
}

function topicsSection({ topics }: LiveStatus): Html {
  return html`<section>
<h2>Topics</h2>
${topics.kind === 'listed' ? topicTable(topics.topics) : html`<p class="down">${topics.reason}</p>`}
</section>
`
}

function topicTable(topics: readonly TopicStatus[]): Html {
  if (topics.length === 0) return html`<p>None yet.</p>`
  return html`<table>
<thead><tr><th>topic</th><th class="number">partitions</th>
<th class="number">records</th></tr></thead>
<tbody>${topics.map(
    ({ topic, partitions, records }) => html`<tr><td><code>${topic}</code></td>
<td class="number">${partitions}</td><td class="number">${String(records)}</td></tr>
`,
  )}</tbody>
</table>`
}

function deadLettersSection(
  { deadLetters }: LiveStatus,
  { cli, brokersOption }: OperatingLines,
): Html {
  const held = deadLetters.filter(({ count }) => count > 0)
  if (held.length === 0) return html`<section><h2>Dead letters</h2><p>None.</p></section>`
  return html`<section>
<h2>Dead letters</h2>
<ul>${held.map(({ service, count }) => html`<li>${service}: ${count}</li>`)}</ul>
<p>See why, and give them to their handler again once the cause is gone:</p>
${commandLine(`${cli} dead-letters${brokersOption}\n${cli} redrive --all${brokersOption}`)}
</section>
`
}

function hintsOf(title: string, system: SystemOverview, hints: readonly Hint[]): Html {
  if (hints.length === 0) return html``
  return html`<section>
<h2>${title}: ${system.name}</h2>
<ol class="hints">${hints.map(
    ({ text, command }) => html`<li><p>${text}</p>
${command === '' ? undefined : commandLine(command)}</li>
`,
  )}</ol>
</section>
`
}

function fromTheTerminal({ cli, brokersOption }: OperatingLines): Html {
  const commands = [
    `${cli} topics${brokersOption}`,
    `${cli} tail TOPIC --follow${brokersOption}`,
    `${cli} groups${brokersOption}`,
    `${cli} dead-letters${brokersOption}`,
  ]
  return html`<section>
<h2>From the terminal</h2>
<p>These work against any Kafka; <code>${cli} help</code> has the rest.</p>
${commandLine(commands.join('\n'))}
</section>
`
}

/** Lines to paste; the script adds a button that copies them. */
function commandLine(command: string): Html {
  return html`<pre class="command" tabindex="0">${command}</pre>`
}
