// Making elements. Text goes in as text alone: nothing here parses HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */
/**
 * What an element is made with: listeners (`onclick`), `css` (custom properties and styles), and attributes by their names.
 * `true` sets an empty attribute; `false`, `null` and `undefined` set none.
 * @typedef {{ css?: Record<string, string>, [attribute: string]: any }} Attributes
 */
/** Attributes, if there are any, and then children. @typedef {(Attributes | Child | Child[])[]} Parts */
/** The element of a name such as `div` or `div.card`. @template M @template S @typedef {S extends keyof M ? M[S] : S extends `${infer N extends keyof M & string}.${string}` ? M[N] : never} Named */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. Its classes stand behind its name: `h("p.muted", "None.")`.
 * @template {string} S
 * @param {S} name
 * @param {...(Attributes | Child | Child[])} parts
 * @returns {Named<HTMLElementTagNameMap, S>}
 */
export function h(name, ...parts) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElement(tag), classes, parts);
}

/**
 * An SVG element, made the same way.
 * @template {string} S
 * @param {S} name
 * @param {...(Attributes | Child | Child[])} parts
 * @returns {Named<SVGElementTagNameMap, S>}
 */
export function svg(name, ...parts) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElementNS(SVG, tag), classes, parts);
}

/**
 * @param {HTMLElement | SVGElement} element
 * @param {string[]} classes
 * @param {Parts} parts
 * @returns {any}
 */
function fill(element, classes, parts) {
  element.classList.add(...classes);
  const attributes = parts[0]?.constructor === Object ? /** @type {Attributes} */ (parts.shift()) : {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "css") for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else element.setAttribute(name, value === true ? "" : value);
  }
  put(element, .../** @type {(Child | Child[])[]} */ (parts));
  return element;
}

/**
 * Appends children, and leaves out what is none.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function put(parent, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Gives an element these children and no others.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function replace(parent, ...children) {
  parent.replaceChildren();
  put(parent, ...children);
}

/**
 * Sets an element's text, and touches nothing where it is the same.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Keeps one child for each item, in the items' order. Children whose item stays are kept as they are, with their focus.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement | SVGElement} make
 * @param {(element: any, item: T) => void} [update]
 */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const keys = new Set(items.map(keyOf));
  /** @type {Map<string | null, Element>} */
  const before = new Map();
  // What is gone goes first: what is moved would lose its focus.
  for (const child of [...parent.children]) {
    const key = child.getAttribute("data-key");
    if (keys.has(key ?? "")) before.set(key, child);
    else child.remove();
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = before.get(key);
    if (!element) {
      element = make(item);
      element.setAttribute("data-key", key);
    }
    update(element, item);
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
}

/**
 * Says something to those who do not see the page.
 * @param {string} text
 */
export function announce(text) {
  const place = document.getElementById("announcements");
  if (place) place.textContent = text;
}
