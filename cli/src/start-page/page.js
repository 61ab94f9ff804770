// What the start page does in the browser: shows the live part anew, and copies commands.

const everyMs = 2000
const live = document.getElementById('live')
let shown = ''

async function refresh() {
  if (document.hidden || live === null) return
  try {
    const answer = await fetch('/live', { cache: 'no-store' })
    const text = await answer.text()
    // What did not change is left alone, so that a selection or the focus stays.
    if (!answer.ok || text === shown) return
    shown = text
    live.innerHTML = text
    addCopyButtons(live)
  } catch {
    if (shown === '') return
    shown = ''
    const gone = document.createElement('section')
    gone.className = 'down'
    gone.textContent = 'Millrace has stopped. This page goes on when it runs again.'
    live.replaceChildren(gone)
  }
}

function addCopyButtons(within) {
  if (!('clipboard' in navigator)) return
  for (const command of within.querySelectorAll('pre.command')) {
    const lines = command.textContent ?? ''
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'copy'
    button.textContent = 'copy'
    button.addEventListener('click', () => void copy(lines, button))
    command.prepend(button)
  }
}

async function copy(lines, button) {
  await navigator.clipboard.writeText(lines)
  button.textContent = 'copied'
  setTimeout(() => {
    button.textContent = 'copy'
  }, 1500)
}

addCopyButtons(document)
setInterval(() => void refresh(), everyMs)
document.addEventListener('visibilitychange', () => void refresh())
