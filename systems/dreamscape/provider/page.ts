import type { ProviderState } from './provider.ts'

/** The provider as one page, without scripts: it loads itself again every few seconds. */
export function providerPage({ isUp, isSilent, entries }: ProviderState): string {
  const state = isUp
    ? 'The provider is <b class="up">up</b>'
    : 'The provider is <b class="down">down</b>: payments wait until it is up again'
  const silence = isSilent
    ? 'Cards that end in 0119 get no answer: nobody knows whether they were charged'
    : 'Cards that end in 0119 are answered'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>Payment provider</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
form { display: inline; margin-left: .5rem }
.switch { margin: .5rem 0 }
.up { color: light-dark(#17703c, #6fcf97) } .down { color: light-dark(#b3261e, #ff8a80) }
td { padding: .25rem 1rem .25rem 0; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>Payment provider</h1>
<div class="switch">${state}. ${button(isUp ? 'down' : 'up', isUp ? 'Take it down' : 'Bring it up')}</div>
<div class="switch">${silence}. ${
    isSilent ? button('silence/off', 'Answer them') : button('silence/on', 'Leave them waiting')
  }</div>
<p>Cards that end in 0002 are declined; all others are charged.</p>
<table>${entries.map(row).join('\n')}</table>
</body>
</html>
`
}

function button(path: string, words: string): string {
  return `<form method="post" action="/${path}"><button>${words}</button></form>`
}

function row({ id, what, amountCents }: ProviderState['entries'][number]): string {
  const euros = (amountCents / 100).toFixed(2)
  return `<tr><td>${what}</td><td>${euros} EUR</td><td>${escaped(id)}</td></tr>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
