// A small menu behind a button: opens under it, closes by Escape or a press elsewhere, goes by the arrow keys.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/page/vendor/preact-htm.js";

const MARGIN = 8;

/** `label` for who cannot see the button, `items` [{key, label, danger, act}]; `top`: what stands above them. */
export function Menu({ label, face = "⋯", items, top, className = "" }) {
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return html`<span class="menu ${className}">
    <button
      ref=${button} type="button" class="menu-button" aria-haspopup="menu" aria-expanded=${open} aria-label=${label}
      title=${label} onClick=${() => setOpen(!open)}
    >${face}</button>
    ${open && html`<${List}
      label=${label} items=${items} top=${top} button=${button} close=${close} leave=${() => setOpen(false)}
    />`}
  </span>`;
}

function List({ label, items, top, button, close, leave }) {
  const list = useRef(null);
  const stay = () => place(list.current, button.current.getBoundingClientRect());
  useLayoutEffect(() => {
    stay();
    list.current.querySelector("button")?.focus();
  }, []);
  useEffect(() => {
    const elsewhere = (event) => {
      if (!list.current?.contains(event.target) && !button.current?.contains(event.target)) leave();
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("scroll", stay, true); // news may push its button up
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("scroll", stay, true);
    };
  }, []);
  const chosen = (item) => {
    close();
    item.act();
  };
  const pressed = (event) => keys(event, list.current, close);
  return html`<div ref=${list} class="menu-list" role="menu" aria-label=${label} onKeyDown=${pressed}>
    ${top?.(close)}
    ${items.map((item) => html`<button
      key=${item.key} type="button" role="menuitem" tabindex="-1" class=${item.danger ? "danger" : ""}
      onClick=${() => chosen(item)}
    >${item.label}</button>`)}
  </div>`;
}

/** Under the button, or above it where there is no room, and never beyond the window's edge. */
function place(list, around) {
  const { width, height } = list.getBoundingClientRect();
  const below = around.bottom + height + MARGIN < innerHeight;
  list.style.top = `${below ? around.bottom + 4 : Math.max(MARGIN, around.top - height - 4)}px`;
  list.style.left = `${Math.max(MARGIN, Math.min(around.right - width, innerWidth - width - MARGIN))}px`;
}

function keys(event, list, close) {
  const buttons = [...list.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key === "Escape" || event.key === "Tab") {
    event.stopPropagation();
    close();
  } else if (event.key in steps) {
    event.preventDefault();
    buttons.at((at + steps[event.key]) % buttons.length)?.focus();
  }
}
