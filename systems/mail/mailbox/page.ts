import type { ReceivedMail } from './mails.ts'
import { refusedDomain } from './smtp-switch.ts'

export interface MailboxView {
  readonly smtp: {
    readonly isUp: boolean
    readonly port: number
    /** Whether mail for `refusedDomain` is refused. */
    readonly refusing: boolean
  }
  /** How many arrived since the start. */
  readonly received: number
  readonly mails: readonly ReceivedMail[]
}

/** The mailbox as one page, without scripts: it loads itself again every few seconds. */
export function mailboxPage({ smtp, received, mails }: MailboxView): string {
  const state = smtp.isUp
    ? `SMTP on port ${smtp.port} is <b class="up">up</b>`
    : `SMTP on port ${smtp.port} is <b class="down">down</b>: mails wait until it is up again`
  const refusals = `Mail for ${refusedDomain} is ${smtp.refusing ? 'refused (550)' : 'accepted'}`
  const shown = mails.length < received ? `, the latest ${mails.length} of them here` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>Mailbox (${received})</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid #8886; padding: 1rem 0 }
h2 { font-size: 1rem; margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 0 }
small { opacity: .75; overflow-wrap: anywhere }
form { display: inline; margin-left: .5rem }
.switch { margin: .5rem 0 }
.up { color: light-dark(#17703c, #6fcf97) } .down { color: light-dark(#b3261e, #ff8a80) }
</style>
</head>
<body>
<h1>Mailbox</h1>
<div class="switch">${state}. ${button('/smtp', smtp.isUp ? 'down' : 'up')}</div>
<div class="switch">${refusals}. ${button('/refusals', smtp.refusing ? 'off' : 'on')}</div>
<p>${received} received${shown}. <a href="/mails">As JSON</a></p>
${mails.map(article).join('\n')}
</body>
</html>
`
}

const words = {
  down: 'Take it down',
  up: 'Bring it up',
  off: 'Accept it',
  on: 'Refuse it',
}

function button(path: string, to: keyof typeof words): string {
  return `<form method="post" action="${path}/${to}"><button>${words[to]}</button></form>`
}

const kinds = { email: '', sms: 'SMS', push: 'Push message' } as const

function article({ via, subject, from, ...mail }: ReceivedMail): string {
  const { to, receivedAt, messageId, text } = mail
  return `<article>
<h2>${kinds[via]}${escaped(subject)}</h2>
<small>${escaped(from)} → ${escaped(to.join(', '))} · ${escaped(receivedAt)}<br>
${escaped(messageId)}</small>
<pre>${escaped(text)}</pre>
</article>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
