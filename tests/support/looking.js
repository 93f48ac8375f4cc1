// What keeps somebody from reading or using a page, as far as a program can tell: contrast, names, sizes, order of headings.
// Rules: WCAG 2.2, 1.4.3 (contrast), 2.5.8 (size), 4.1.2 (names), 1.3.1 (headings), 3.1.1 (language).
() => {
  const found = []
  const told = (one) =>
    `${one.tagName.toLowerCase()}${one.id ? `#${one.id}` : ''}${[...one.classList].map((name) => `.${name}`).join('')}` +
    ` “${(one.textContent || one.value || '').trim().slice(0, 40)}”`
  const isSeen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !one.closest('[inert], [aria-hidden=true]')
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = (upper, lower) => [0, 1, 2].map((i) => upper[i] * upper[3] + lower[i] * (1 - upper[3])).concat(1)
  const behind = (one) => {
    if (!one) return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1]
    const own = rgba(getComputedStyle(one).backgroundColor)
    return own[3] === 1 ? own : over(own, behind(one.parentElement))
  }
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)

  for (const one of document.querySelectorAll('body *')) {
    const says = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && /[\p{L}\p{N}]/u.test(node.data))
    if (!says || !isSeen(one) || one.closest(':disabled, [aria-disabled=true]')) continue
    const style = getComputedStyle(one)
    const ground = behind(one)
    const size = parseFloat(style.fontSize)
    const enough = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
    const found_ = contrast(over(rgba(style.color), ground), ground)
    if (found_ < enough) found.push(`contrast ${found_.toFixed(2)} instead of ${enough}: ${told(one)}`)
    if (size < 11) found.push(`letters of ${size} pixels: ${told(one)}`)
  }

  const named = (one) =>
    one.getAttribute('aria-label')?.trim() ||
    (one.getAttribute('aria-labelledby') || '').split(/\s+/).map((id) => document.getElementById(id)?.textContent.trim() ?? '').join('') ||
    [...(one.labels ?? [])].map((label) => label.textContent.trim()).join('') ||
    (['INPUT', 'SELECT', 'TEXTAREA'].includes(one.tagName) ? '' : one.textContent.trim()) ||
    one.querySelector?.('img[alt]')?.alt || one.getAttribute('title')
  const phone = innerWidth < 600
  for (const one of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab], [tabindex="0"]')) {
    if (!isSeen(one)) continue
    if (!named(one)) found.push(`no name: ${told(one)}`)
    const box = (one.closest('label') ?? one).getBoundingClientRect()
    const isInText = one.tagName === 'A' && getComputedStyle(one).display === 'inline'
    const least = phone ? 32 : 24
    if (!isInText && box.width && (box.height < least - 0.5 || box.width < 24)) {
      found.push(`${Math.round(box.width)} × ${Math.round(box.height)} pixels to press: ${told(one)}`)
    }
  }
  for (const one of document.querySelectorAll('img:not([alt]), svg:not([aria-label], [role])')) {
    if (isSeen(one)) found.push(`a picture without words: ${told(one)}`)
  }
  for (const one of document.querySelectorAll('body *')) {
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1
    if (scrolls && isSeen(one) && one.tabIndex < 0 && !one.querySelector('a[href], button, input, select, textarea, [tabindex]')) {
      found.push(`scrolls, but not by keyboard: ${told(one)}`)
    }
  }
  for (const one of document.querySelectorAll('[tabindex]')) {
    if (one.tabIndex > 0) found.push(`an order of its own: ${told(one)}`)
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id)
  for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) found.push(`twice the id ${id}`)
  let level = 0
  for (const one of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (!isSeen(one)) continue
    const now = Number(one.tagName[1])
    if (now > level + 1) found.push(`from heading ${level} to ${now}: ${told(one)}`)
    level = now
  }
  if (!document.documentElement.lang) found.push('no language')
  if (!document.title) found.push('no title')
  return found
}
